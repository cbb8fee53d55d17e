//! httparse: a request's head is parsed into borrowed headers on the stack, without any allocation.

use httparse::{Request, Status, EMPTY_HEADER};
use mod_alloc::{alloc_budget, assert_allocs, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const HEAD: &[u8] = b"GET /packages/memchr HTTP/1.1\r\n\
    Host: example.org\r\n\
    Accept: application/json\r\n\
    Accept-Encoding: gzip, br\r\n\
    User-Agent: fetch/1.0\r\n\r\n";

/// The path, and the number of headers.
fn parse(head: &[u8]) -> Result<(&str, usize), httparse::Error> {
    let mut headers = [EMPTY_HEADER; 8];
    let mut request = Request::new(&mut headers);
    match request.parse(head)? {
        Status::Complete(_) => Ok((request.path.unwrap_or_default(), request.headers.len())),
        Status::Partial => Ok(("", 0)),
    }
}

#[test]
#[alloc_budget(max = 0, max_deallocs = 0)]
fn a_head_is_parsed_without_allocating() -> Result<(), httparse::Error> {
    let (path, headers) = parse(HEAD)?;
    assert_eq!((path, headers), ("/packages/memchr", 4));
    Ok(())
}

#[test]
#[alloc_budget(max = 0)]
fn neither_half_a_head_nor_a_broken_one_allocates() {
    assert_eq!(parse(&HEAD[..HEAD.len() - 3]).unwrap(), ("", 0));
    assert_eq!(parse(b"GET / HTTP/1.1\r\nno colon\r\n\r\n"), Err(httparse::Error::HeaderName));
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
#[alloc_budget(max = 0, max_deallocs = 0)]
fn a_path_that_is_copied_breaks_the_budget() {
    let (path, _) = parse(HEAD).unwrap();
    assert_eq!(std::hint::black_box(path.to_owned()), "/packages/memchr");
}

/// The eight headers are on the heap instead. There are one allocation and one deallocation, and
/// the report names both.
#[test]
#[should_panic(expected = "deallocations       0         1  +1")]
fn headers_on_the_heap_break_both_limits() {
    assert_allocs!(max = 0, max_deallocs = 0, {
        let mut headers = std::hint::black_box(vec![EMPTY_HEADER; 8]);
        Request::new(&mut headers).parse(HEAD).unwrap()
    });
}
