"""What the suites share: bytes put together by hand, pictures by a real encoder, damage."""
