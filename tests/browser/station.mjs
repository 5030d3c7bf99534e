// A courtroom's recording station for the browser tests: real streams, a real log, a page on a free port.
//
// GREFFE_PROGRAMS: the build folder (build unless given); GREFFE_UI: the folder web/ui.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./browser.mjs";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const ingest = join(process.env.GREFFE_PROGRAMS ?? join(repository, "build"), "greffe-ingest");
const movie = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4";
const bundle = `${process.env.GREFFE_UI}/dist-station`;

export const freePort = () => Number(execFileSync("/usr/bin/python3", [join(repository, "packaging/demo/free_ports.py"), "1"], { encoding: "utf8" }));

export class Station {
  static async make(control = "") {
    const station = new Station();
    station.port = freePort();
    execFileSync(ingest, ["prepare", "--station-dir", join(station.folder, "st"), "--archive", "archive.test.example", "--name", "s1", "--court",
      "court-a", "--room", "room-3"], { stdio: "ignore" });
    execFileSync("ffmpeg", ["-v", "error", "-stream_loop", "40", "-i", movie, "-an", "-c", "copy", "-y", join(station.folder, "long.mp4")]);
    station.configure(control);
    return station;
  }

  folder = mkdtempSync(join(tmpdir(), "greffe-station."));
  get url() { return `http://127.0.0.1:${this.port}`; }
  get config() { return join(this.folder, "station.toml"); }
  get log() { return readFileSync(join(this.folder, "log"), "utf8"); }

  // Two cameras and two microphones; `second`: the address of the second camera; `place`: [place] of station.toml.
  configure(control, { listen = `127.0.0.1:${this.port}`, second = `file:${this.folder}/long.mp4`, place = "" } = {}) {
    const stream = (name, medium, address) => `[[stream]]\nname = "${name}"\nmedium = "${medium}"\naddress = "${address}"\n`;
    writeFileSync(this.config, `directory = "st"\n[control]\nlisten = "${listen}"\nui_directory = "${bundle}"\n${control}\n${place}\n${
      stream("cam-bench", "video", `file:${this.folder}/long.mp4`)}${stream("cam-witness", "video", second)}${
      stream("mic-judge", "audio", "test:tone?frequency=300")}${stream("mic-counsel", "audio", "test:tone?frequency=440")}`);
  }

  async start() {
    writeFileSync(join(this.folder, "log"), "");
    this.child = spawn("/bin/sh", ["-c", `exec "$0" --config "$1" run >> "${this.folder}/log" 2>&1`, ingest, this.config], { stdio: "ignore" });
    await until("the station is ready", () => / ready: /.test(this.log) || this.child.exitCode !== null, 20_000);
    if (this.child.exitCode !== null) throw new Error(this.log);
  }

  async stop(signal = "SIGTERM") {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const over = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await over;
  }

  remove() { rmSync(this.folder, { recursive: true, force: true }); }

  state() { return JSON.parse(execFileSync(ingest, ["--config", this.config, "state", "--json"], { encoding: "utf8" })); }

  // The log of the newest hearing, with the words that its documents hold.
  newestLog() {
    const spool = join(this.folder, "st", "spool");
    const id = readdirSync(spool).filter((name) => /^[0-9a-f-]{36}$/.test(name)).sort().at(-1);
    const bytes = readFileSync(join(spool, id, "entries"));
    const entries = [];
    for (let at = 0; at < bytes.length;) {
      const size = bytes.readUInt16BE(at);
      entries.push(JSON.parse(bytes.subarray(at + 2, at + 2 + size).toString()));
      at += 2 + size;
    }
    const document = (digest) => (existsSync(join(spool, id, "objects", digest)) ? JSON.parse(readFileSync(join(spool, id, "objects", digest), "utf8")) : undefined);
    for (const entry of entries) {
      if (entry.note_sha256) entry.words = document(entry.note_sha256)?.text;
      if (entry.details_sha256) entry.details = document(entry.details_sha256);
    }
    return { id, folder: join(spool, id), entries, of: (kind) => entries.filter((entry) => entry.kind === kind) };
  }
}
