"""Talks: heart-to-heart talks are asked for, held and on record; what was said stays between the parties."""
