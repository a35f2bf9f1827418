"""The CenterPose spec as typed dataclasses: the one source of every setting and its facts."""
