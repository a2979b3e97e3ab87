"""Last of all, plain ``terraform destroy`` takes the session's deployment away, images and all."""

from .stack import Site, Stack


def test_destroy_leaves_nothing(site: Site, stack: Stack) -> None:
    stack.put("uploads/still-there.jpg", b"content")
    done = site.terraform.capture(
        "destroy", "-auto-approve", "-input=false", "-no-color", *site.variable_files()
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert site.inventory() == {}
