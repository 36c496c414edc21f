"""Recordings: what an engine answered to one inspection, kept in a file, so that it can be inspected again without it.

The cut is the ``Session``: the schemas, and of each relation the engine's own bytes before they are decoded. So a replay
decodes anew, with the code of today, and needs neither a driver nor a network. What failed is kept with its class and its
words. No row is in a recording, for none is in an answer, and no secret of the settings. See decision 0055.
"""

from metamapper.connectors.recording.replay import replayed, replayed_snapshot
from metamapper.connectors.recording.session import recorded
from metamapper.connectors.recording.writer import NotRecorded

__all__ = ["NotRecorded", "recorded", "replayed", "replayed_snapshot"]
