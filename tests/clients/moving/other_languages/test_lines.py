import pytest

TEXT = "to\nbe\nor\nnot\nto be"


@pytest.mark.limit_memory("24 MB")
def test_copies_are_small():
    TEXT.splitlines()


@pytest.mark.limit_leaks("1 MB")
def test_nothing_is_left():
    TEXT.splitlines()

