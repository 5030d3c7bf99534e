#!/usr/bin/python3
"""A camera for tests: serves the tracks of an MP4 file over RTSP in real time, to each client from the file's beginning.

  rtsp_camera.py PORT FILE [MOUNTS [USER PASSWORD]]      /cam0 … : H.264 or H.265 video and AAC sound
  rtsp_camera.py PORT FILE.wav [MOUNTS [USER PASSWORD]]  /cam0 … : G.711 sound

Prints "ready PORT" (the port when 0 was asked for) once it listens on loopback."""
import pathlib
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def launch_line(path, codec):
    if path.suffix == ".wav":
        return f"( filesrc location={path} ! wavparse ! audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8 )"
    video = {"h264": "h264parse config-interval=-1 ! rtph264pay", "h265": "h265parse config-interval=-1 ! rtph265pay"}[codec]
    return (f"( filesrc location={path} ! qtdemux name=d d.video_0 ! queue ! {video} pt=96 name=pay0 "
            f"d.audio_0 ! queue ! aacparse ! rtpmp4gpay pt=97 name=pay1 )")


def lock(server, user, password):
    """Only who knows the password may watch; it asks for Digest."""
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "watcher")
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def main():
    Gst.init(None)
    path = pathlib.Path(sys.argv[2]).resolve()
    codec = "h265" if b"hvc1" in path.read_bytes() else "h264"
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    for number in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch_line(path, codec))
        if len(sys.argv) > 4:
            factory.add_role_from_structure(Gst.Structure.new_from_string("watcher, media.factory.access=true, media.factory.construct=true"))
        server.get_mount_points().add_factory(f"/cam{number}", factory)
    if len(sys.argv) > 4:
        lock(server, sys.argv[4], sys.argv[5])
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on port {sys.argv[1]}")
    print("ready", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
