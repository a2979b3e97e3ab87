"""The fields that blocks state, by the names that the record has for them."""

from __future__ import annotations

from image_metadata.fields import Field


def name_in_record(field: Field) -> str:
    """`rating`, or `camera.make` where the field is a member of a group."""
    return f"{field.within}.{field.name}" if field.within else field.name
