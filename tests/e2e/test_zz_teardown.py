"""Last of all, the session's deployments are taken away, images and all."""

from tests.support.stack import Site, Stack


def test_destroy_leaves_nothing(site: Site, stack: Stack) -> None:
    for name in ("still there.jpg", "100%.jpg", "a+b%2B.jpg"):
        stack.put(f"uploads/{name}", b"content")
    assert "Left of image-metadata-local: nothing" in site.done("destroy").stdout
    assert site.inventory() == {}


def test_plain_terraform_destroy_leaves_nothing_but_what_was_there(lab_site: Site, lab_stack: Stack) -> None:
    # Terraform cannot read the names of some from the local AWS's list of versions.
    for page in lab_stack.s3.get_paginator("list_objects_v2").paginate(Bucket=lab_stack.bucket):
        for entry in page.get("Contents", []):
            if {"%", "+"} & set(entry["Key"]):
                lab_stack.s3.delete_object(Bucket=lab_stack.bucket, Key=entry["Key"])
    lab_site.destroy_by_terraform()
    assert lab_site.inventory() == {"roles": ["LabRole", "voclabs"]}
