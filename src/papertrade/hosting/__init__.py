"""What the hosts share: parsing at the edge, deciding and storing, delivery, reading. Knows neither lock nor loop."""
