"""Packaging and deploying, with the standard library alone: who deploys has only Python and Terraform."""
