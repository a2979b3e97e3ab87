"""The demo's sample images, which take seconds to make: once for a process."""

from tools.dev import demo

SAMPLES = demo.sample_images()
JPEG = SAMPLES["upright.jpg"]
