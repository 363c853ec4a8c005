"""A release put to work: guard, retrieve, generate, guard the answer as it streams, cite, log.

The gateway, the console and the command line are three faces of this one room.
"""

from septet.assistant.answer import Answer, Citation, Options, Piece, Sentence
from septet.assistant.assistant import Assistant

__all__ = ["Answer", "Assistant", "Citation", "Options", "Piece", "Sentence"]
