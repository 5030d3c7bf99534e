"""A microphone for ALSA on a machine without a sound card (tests/system/sound_card.cc). It can be unplugged."""
import mmap
import struct

import world as w

LIBRARY = w.PROGRAMS / "tests" / "libsound_card.so"
CONFIGURATION = 'pcm_type.greffe_test {{ lib "{library}" }}\npcm.card {{ type greffe_test plug "{plug}" }}\n'


class SoundCard:
    """`alsa:card` for a program started behind prefix()."""

    address = "alsa:card"

    def __init__(self, folder):
        plug, self.config = folder / "plug", folder / "asound.conf"
        plug.write_bytes(bytes(8))
        with open(plug, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 8)
        self.config.write_text(CONFIGURATION.format(library=LIBRARY, plug=plug))
        self.plug_in()

    def prefix(self):
        return ["env", f"ALSA_CONFIG_PATH={self.config}"]

    def plug_in(self):
        self.page[:] = struct.pack("=q", 1)

    def unplug(self):
        self.page[:] = struct.pack("=q", 0)
