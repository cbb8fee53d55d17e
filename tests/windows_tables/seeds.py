"""Writes seeds for the fuzz target `windows_tables`: seeds.py FOLDER.

The headers of each library; and its tables, `.pdata` before `.xdata`, for a few return addresses.
"""
import pathlib
import struct
import sys

here, to = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])
for level in ["O0", "O2"]:
    image = (here / f"{level}.dll").read_bytes()
    (start,) = struct.unpack_from("<I", image, 0x3C)
    count, optional = struct.unpack_from("<H", image, start + 6)[0], image[start + 20]
    sections = {}
    for at in range(start + 24 + optional, start + 24 + optional + 40 * count, 40):
        name, size, place, _, offset = struct.unpack_from("<8sIIII", image, at)
        sections[name.rstrip(b"\0")] = (place, image[offset : offset + size])
    functions, (place, information) = sections[b".pdata"][1], sections[b".xdata"]
    (to / f"{level}-headers").write_bytes(struct.pack("<HHB", 0x1010, 0, 0) + image[:0x400])
    places = [line.split()[0] for line in (here / f"{level}.txt").read_text().splitlines()]
    for number, address in enumerate(places[:: len(places) // 5]):
        head = struct.pack("<HHB", int(address, 16), place - len(functions), len(functions) // 12)
        (to / f"{level}-{number}").write_bytes(head + functions + information)
