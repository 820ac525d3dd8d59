"""`make run`: one hub, two local apps, two ministries, and complaints travelling between them."""
