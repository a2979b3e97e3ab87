"""The gallery: the page that a deployment shows people, and how browsers get its files.

`page/` holds them as they are written: ES modules, a style sheet, messages in three languages, an outline of the land
(`land.json`: land-110m.json of world-atlas 2.0.2, ISC licence, made of Natural Earth's public domain data; a test holds
it against the hash of that file). They are built by nothing. The page asks the same API as everyone, by the same key.
"""
