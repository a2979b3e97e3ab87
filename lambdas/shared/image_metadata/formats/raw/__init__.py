"""Raw files: what a camera's sensor saw, in each maker's own container. `kinds` names those that are TIFF streams."""
