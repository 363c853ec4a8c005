"""Stage 6: releases and their gates, and the way back from an answer to the files it stands on."""
