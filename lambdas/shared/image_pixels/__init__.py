"""Pixels: previews, hashes and measures. The only room that decodes images; everything else reads headers."""
