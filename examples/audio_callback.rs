//! An audio callback, which must never wait for the allocator: `cargo run --example
//! audio_callback`. The program runs with its budget. With `MOD_ALLOC_ON_BREAK=warn` the callback
//! that breaks it is reported once, and the music goes on; without, the program panics.

use mod_alloc::{Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const FRAMES: usize = 256;

/// Mixes voices of one tone each, a block of samples at a time.
struct Mixer {
    voices: Vec<Voice>,
    /// Added up here, so that the callback needs no memory of its own.
    sum: Vec<f32>,
    /// What happened, for the thread that draws.
    events: Vec<String>,
}

struct Voice {
    step: f32,
    phase: f32,
    frames_left: usize,
}

impl Mixer {
    fn new() -> Self {
        Self { voices: Vec::with_capacity(16), sum: vec![0.0; FRAMES], events: Vec::new() }
    }

    fn play(&mut self, hertz: f32, frames: usize) {
        let step = hertz / 48_000.0;
        self.voices.push(Voice { step, phase: 0.0, frames_left: frames });
    }

    /// What the sound card calls every five milliseconds.
    fn render(&mut self, output: &mut [f32]) {
        self.sum.fill(0.0);
        for voice in &mut self.voices {
            for sample in &mut self.sum {
                *sample += if voice.phase < 0.5 { 0.1 } else { -0.1 };
                voice.phase = (voice.phase + voice.step).fract();
            }
            voice.frames_left = voice.frames_left.saturating_sub(FRAMES);
            if voice.frames_left == 0 {
                self.events.push(format!("a voice of step {} ends", voice.step));
            }
        }
        self.voices.retain(|voice| voice.frames_left > 0);
        output.copy_from_slice(&self.sum);
    }
}

fn main() {
    let mut mixer = Mixer::new();
    mixer.play(440.0, 10 * FRAMES);
    mixer.play(660.0, 40 * FRAMES);

    let mut output = [0.0; FRAMES];
    let real_time = Budget::new().max(0).max_deallocs(0);
    for _ in 0..50 {
        real_time.enforce(|| mixer.render(&mut output));
    }
    println!("rendered 50 blocks; {} events", mixer.events.len());
}

#[cfg(test)]
mod tests {
    use mod_alloc::assert_no_alloc;

    use super::{Mixer, FRAMES};

    #[test]
    fn a_note_that_sounds_takes_nothing() {
        let mut mixer = Mixer::new();
        mixer.play(440.0, 100 * FRAMES);
        let mut output = [0.0; FRAMES];
        assert_no_alloc!({ mixer.render(&mut output) });
        assert_eq!(output[0], 0.1);
    }

    /// The bug that the program shows: the last block of a voice writes a message.
    #[test]
    #[should_panic(expected = "allocation budget exceeded")]
    fn a_note_that_ends_takes_a_message() {
        let mut mixer = Mixer::new();
        mixer.play(440.0, FRAMES);
        let mut output = [0.0; FRAMES];
        assert_no_alloc!({ mixer.render(&mut output) });
    }
}
