"""The event store: what was decided, in one total order, for ever."""
