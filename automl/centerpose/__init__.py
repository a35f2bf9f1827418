"""The CenterPose trainer program, driven by the same contract as the TAO container.

Importing this package imports no torch: ``config`` and ``packaging`` describe the program without
running it.
"""
