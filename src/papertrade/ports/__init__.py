"""What papertrade needs from outside, or offers to it: Broker, Clock, Store, Feed, Sink."""
