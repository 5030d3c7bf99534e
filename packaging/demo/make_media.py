#!/usr/bin/python3
"""The demo's recordings: real video and real French speech from two Debian packages, cut to the shape of a hearing.

    make_media.py DIR            writes DIR/hearing/ (two cameras, three microphones, 200 s: what they send live),
                                 DIR/rest/ (the same five, 120 s: what is filed behind it) and DIR/short/ (12 s clips)

Nothing is drawn or synthesised but the faint noise of a room between the sentences. Files that are there are kept.
"""
import array
import pathlib
import random
import subprocess
import sys
import wave

VIDEO = pathlib.Path("/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4")
SPEECH = pathlib.Path("/usr/share/asterisk/sounds/fr_CA_f_June")
HEARING_SECONDS = 200
REST_SECONDS = 120
SHORT_SECONDS = 12
TURN_SECONDS = 18  # nobody speaks longer than this without being interrupted
SPEAKER = "crop=250:188:116:84"  # where the person sits in the picture
SHORT_CAMERAS = 4
SHORT_MICROPHONES = 8
RATE = 8000

# Who says what; each list is one microphone. The speakers take turns.
TURNS = {
    "mic-judge": ["demo-congrats", "vm-options", "dir-intro", "demo-abouttotry", "conf-usermenu", "dir-intro-fn"],
    "mic-party": ["demo-instruct", "priv-callee-options", "vm-msginstruct", "tt-monkeys"],
    "mic-witness": ["conf-adminmenu-18", "demo-echotest", "conf-adminmenu-162", "vm-opts-full"],
}
SHORT_SPEECH = ["dir-intro", "vm-options", "demo-abouttotry", "conf-usermenu", "vm-opts-full", "dir-intro-fn",
                "screen-callee-options", "demo-echotest"]


def speech(name):
    with wave.open(str(SPEECH / (name + ".wav"))) as sound:
        if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (RATE, 1, 2):
            sys.exit(f"make_media: {name}.wav is not 16-bit mono at {RATE} Hz any more")
        return array.array("h", sound.readframes(sound.getnframes()))


def room_noise(seconds, seed):
    random_numbers = random.Random(seed)
    second = array.array("h", (random_numbers.randint(-12, 12) for _ in range(RATE)))
    return second * seconds


def save(path, samples):
    part = path.with_suffix(".part")
    with wave.open(str(part), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    part.rename(path)


def make_microphones(folder):
    """One after the other the three take the word; the two others only hear the room."""
    paths = {name: folder / (name + ".wav") for name in TURNS}
    if all(path.exists() for path in paths.values()):
        return
    tracks = {name: room_noise(HEARING_SECONDS, seed) for seed, name in enumerate(TURNS)}
    queues = {name: list(names) for name, names in TURNS.items()}
    at = 2 * RATE
    while any(queues.values()) and at < HEARING_SECONDS * RATE:
        for name, queue in queues.items():
            if not queue or at >= HEARING_SECONDS * RATE:
                continue
            words = speech(queue.pop(0))[: min(TURN_SECONDS * RATE, HEARING_SECONDS * RATE - at)]
            tracks[name][at : at + len(words)] = words
            at += len(words) + RATE // 2
    for name, samples in tracks.items():
        save(paths[name], samples)


def ffmpeg(*arguments, to):
    if to.exists():
        return
    part = to.with_name("part-" + to.name)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments), str(part)], check=True)
    part.rename(to)


def make_cameras(folder):
    loops = HEARING_SECONDS // 8 + 1
    bench = folder / "cam-bench.mp4"
    # The camera's own H.264, untouched: 1280x720, 30 frames a second, some 4 Mbit/s.
    ffmpeg("-stream_loop", loops, "-i", VIDEO, "-map", "0:v:0", "-c", "copy", "-t", HEARING_SECONDS, to=bench)
    # The second camera looks at the speaker: another cut of the picture, other size, rate and encoder.
    ffmpeg("-i", bench, "-vf", f"{SPEAKER},scale=640:480,fps=15", "-c:v", "libx264", "-preset", "veryfast",
           "-crf", "25", "-g", "15", "-bf", "0", to=folder / "cam-speaker.mp4")  # cameras send pictures in the order they show


def make_rest(live, folder):
    """The film of the cameras is a loop: its beginning serves again. The microphones go on where they were."""
    for name in ("cam-bench.mp4", "cam-speaker.mp4"):
        ffmpeg("-i", live / name, "-map", "0:v:0", "-c", "copy", "-t", REST_SECONDS, to=folder / name)
    for name in TURNS:
        path = folder / (name + ".wav")
        if path.exists():
            continue
        with wave.open(str(live / path.name)) as sound:
            sound.setpos((HEARING_SECONDS - REST_SECONDS) * RATE)
            save(path, array.array("h", sound.readframes(REST_SECONDS * RATE)))


def make_short(folder):
    for i in range(SHORT_CAMERAS):
        look = [SPEAKER, "crop=1152:648:64:36", SPEAKER + ",hue=s=0.4", "crop=960:720:160:0"][i % SHORT_CAMERAS]
        ffmpeg("-stream_loop", 1, "-i", VIDEO, "-t", SHORT_SECONDS, "-map", "0:v:0", "-vf", f"{look},scale=480:360,fps=15",
               "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-g", "30", to=folder / f"cam-{i}.mp4")
    for i in range(SHORT_MICROPHONES):
        path = folder / f"mic-{i}.wav"
        if path.exists():
            continue
        track = room_noise(SHORT_SECONDS, 100 + i)
        words = speech(SHORT_SPEECH[i])[: (SHORT_SECONDS - 1) * RATE]
        track[RATE // 2 : RATE // 2 + len(words)] = words
        save(path, track)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for needed, package in ((VIDEO, "forensics-samples-files"), (SPEECH, "asterisk-core-sounds-fr-wav")):
        if not needed.exists():
            sys.exit(f"make_media: {needed} is missing: install the Debian package {package}")
    folder = pathlib.Path(sys.argv[1])
    for part in ("hearing", "rest", "short"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    make_cameras(folder / "hearing")
    make_microphones(folder / "hearing")
    make_rest(folder / "hearing", folder / "rest")
    make_short(folder / "short")


if __name__ == "__main__":
    main()
