"""Last of all, the session's deployment is taken away, images and all."""

from tests.support.stack import Site, Stack


def test_destroy_leaves_nothing(site: Site, stack: Stack) -> None:
    for name in ("still there.jpg", "100%.jpg", "a+b%2B.jpg"):
        stack.put(f"uploads/{name}", b"content")
    assert "Left of image-metadata-local: nothing" in site.done("destroy").stdout
    assert site.inventory() == {}
