locals {
  show_gallery = {
    enabled         = var.gallery
    description     = "GET /: the gallery, a page over the API"
    memory_mb       = 512
    timeout_seconds = 29

    # A browser that comes for the page has no key yet. It holds no data.
    open = true

    routes = [
      "GET /",
      "GET /gallery/{file+}",
    ]

    permissions = {}
  }
}
