"""Blocks of metadata that containers carry: EXIF, XMP, IPTC, ICC, Photoshop resources."""
