//! Cold: `FrameList`, the distinct frames of a recording, so that a number can stand for each. A
//! recording may have a million stacks, and a few thousand frames.

use std::cmp::Ordering;
use std::sync::Arc;

use super::frame::{leading, Frame, FrameParts};
use crate::sort::sort_by;

/// Frames by their numbers.
#[derive(Default)]
pub(crate) struct FrameList {
    /// In order: numbers compare as their frames do.
    frames: Vec<Frame>,
    /// Of each frame a number that is the same for all that read the same. Such numbers compare as
    /// the wordings do.
    wordings: Vec<u32>,
    is_user: Vec<bool>,
}

impl FrameList {
    /// The list, and the number of each frame in it.
    pub(super) fn new(parts: Vec<Vec<FrameParts>>) -> (Self, Vec<Vec<u32>>) {
        let mut numbers: Vec<Vec<u32>> = parts.iter().map(|parts| vec![0; parts.len()]).collect();
        let mut sorted = Vec::new();
        for (parts, numbers) in parts.into_iter().zip(&mut numbers) {
            for (parts, number) in parts.into_iter().zip(numbers) {
                sorted.push((Frame { parts: Arc::new(parts) }, number));
            }
        }
        sort_by(&mut sorted, |(a, _), (b, _)| a.cmp(b));
        let mut frames: Vec<Frame> = Vec::new();
        for (frame, number) in sorted {
            if frames.last() != Some(&frame) {
                frames.push(frame);
            }
            *number = number_of(frames.len() - 1);
        }
        let is_user = frames.iter().map(Frame::is_user).collect();
        let mut list = Self { frames, wordings: Vec::new(), is_user };
        list.wordings = list.numbered_by(&|a, b| a.wording().cmp(&b.wording()));
        (list, numbers)
    }

    pub(crate) fn frame(&self, number: u32) -> &Frame {
        &self.frames.as_slice()[number as usize]
    }

    /// Equal if the frames read the same.
    pub(crate) fn wording(&self, number: u32) -> u32 {
        self.wordings.as_slice()[number as usize]
    }

    pub(crate) fn is_user(&self, number: u32) -> bool {
        self.is_user.as_slice()[number as usize]
    }

    pub(crate) fn frames(&self, numbers: &[u32]) -> Vec<&Frame> {
        let mut frames = Vec::with_capacity(numbers.len());
        for number in numbers {
            frames.push(self.frame(*number));
        }
        frames
    }

    /// The frame that stands for a chain.
    pub(crate) fn leading(&self, numbers: &[u32]) -> Option<Frame> {
        let chain = self.frames(numbers);
        leading(&chain).map(|at| chain[at].clone())
    }

    /// What is so of each frame, by its number.
    pub(crate) fn map<'a, T>(&'a self, of: &mut dyn FnMut(&'a Frame) -> T) -> Vec<T> {
        self.frames.iter().map(of).collect()
    }

    /// Of each frame a number that is the same for all that compare as equal. The numbers compare
    /// as the frames do.
    pub(super) fn numbered_by(&self, compare: &dyn Fn(&Frame, &Frame) -> Ordering) -> Vec<u32> {
        let mut sorted: Vec<usize> = (0..self.frames.len()).collect();
        let compare = |a: &usize, b: &usize| compare(&self.frames[*a], &self.frames[*b]);
        sort_by(&mut sorted, compare);
        let mut numbers = vec![0; sorted.len()];
        for pair in sorted.windows(2) {
            numbers[pair[1]] = numbers[pair[0]] + u32::from(compare(&pair[0], &pair[1]).is_ne());
        }
        numbers
    }
}

fn number_of(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than 4 billion frames")
}

#[cfg(test)]
mod tests {
    use super::super::frame::FrameParts;
    use super::FrameList;

    #[test]
    fn numbers_compare_as_frames_do_and_wordings_leave_columns_out() {
        let frame = |name: &str, line, column| FrameParts {
            function: Some(name.to_owned()),
            line: Some(line),
            column: Some(column),
            ..FrameParts::default()
        };
        let at = vec![
            vec![frame("b", 1, 1), frame("a", 2, 9)],
            vec![frame("a", 2, 8), frame("a", 2, 9), frame("a", 1, 9)],
        ];
        let (list, numbers) = FrameList::new(at);
        assert_eq!(numbers, [vec![3, 2], vec![1, 2, 0]]);
        let names = list.map(&mut |frame| frame.to_string());
        assert_eq!(names.len(), 4);
        let wordings: Vec<u32> = (0..4).map(|number| list.wording(number)).collect();
        assert_eq!(wordings, [0, 1, 1, 2]);
        assert_eq!(list.frame(3).function(), Some("b"));
    }
}
