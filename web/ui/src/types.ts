// What the browser listener answers (docs/openapi.yaml). Absent members are left out, never null.

export interface Names { en?: string; fr?: string; zh?: string; [language: string]: string | undefined }

export interface Session {
  account: string;
  name: string;
  roles: string[];
  courts: string[];
  language?: string;
}

export interface Places {
  courts: { court: string; names: Names; zone: string; rooms: { room: string; names: Names }[] }[];
}

export interface ArchiveKeys {
  archive: string;
  log_vkey: string;
  holder_vkey: string;
  cosigners: { name: string; vkey: string }[];
}

export interface Party { name: string; role: string; spellings?: string[] }
export interface StreamInfo { name: string; medium: "video" | "audio"; source: string }

export interface Row {
  id: string;
  archive?: string; // whose copy this is; absent: kept here
  title: string;
  cases: string[];
  parties: Party[];
  judges: string[];
  clerk: string;
  court: string;
  court_names: Names;
  room: string;
  room_names: Names;
  zone: string;
  scheduled?: string;
  start?: string;
  end?: string;
  duration_ms: number;
  streams: StreamInfo[];
  state: "open" | "closed";
  gap_count: number;
  unexcused_gap_count: number;
  public: boolean;
  mark_matches?: { at: string; text: string }[];
  shared?: { until?: string }; // seen only because its court shares it with one of this account's
  continues?: string;
}

export interface HearingList { hearings: Row[]; next_cursor?: string; count: number; count_is_exact: boolean }

export interface Details {
  cases: string[];
  parties: Party[];
  judges: string[];
  clerk: string;
  title: string;
  scheduled?: string;
  public: boolean;
  parts?: { from: string; to: string; cases: string[] }[];
  language?: string;
}

export interface Correction {
  origin: "archive" | "room"; // room: in the courtroom, while it was recorded
  utc: string;
  account_name: string; // room: a short code, or empty
  index: number; // of its entry in the main log; room: in the hearing's own
  reason: string; // room: empty
  reason_document?: string;
  before: Details;
  document?: string; // `before`, verbatim
  details_sha256: string;
}

// One of the hearings that go on from one another; hidden: in a court that this account does not see, or not held here.
export interface ShownSitting {
  hidden?: undefined;
  id: string;
  title: string;
  court: string;
  court_names: Names;
  room: string;
  room_names: Names;
  zone: string;
  start: string;
  end?: string;
  duration_ms: number;
  state: "open" | "closed";
  continues?: string;
}
export type Sitting = ShownSitting | { hidden: true };

export interface Hearing extends Row {
  sittings?: Sitting[]; // by start, this one among them; absent when it is the only one
  details: Details;
  details_document?: string;
  corrections: Correction[]; // oldest first
  rights: { play: boolean; mark: boolean; correct: boolean; export: boolean; share: boolean; shares: boolean }; // shares: to see with whom
  origin: string;
  log_size: number;
  log_root: string;
  second_copy?: { site: string; since: string; size: number; complete: boolean };
  receipt_utc?: string;
}

// The newest grant of a hearing to one court. `counterpart`: whether the register of that court's archive has it as well.
export interface Share {
  hearing: string;
  court: string;
  court_names: Names;
  state: "active" | "over" | "revoked";
  utc: string;
  until?: string;
  account_name: string;
  reason: string;
  index: number;
  counterpart: "same-log" | "logged" | "missing" | "unknown";
  revoked?: { utc: string; account_name: string; reason: string; index: number };
}
export interface ShareList { shares: Share[] }

export interface Segment {
  index: number;
  seq: number;
  run: number;
  sha256: string;
  bytes: number;
  init_bytes: number;
  start_90k: number;
  duration_90k: number;
  utc: string;
  codecs: string;
  flags: string[];
}

export interface Stream extends StreamInfo { segments: Segment[] }

export interface Gap {
  index: number;
  streams: string[];
  from: string;
  to: string;
  reason: string;
  excused: boolean;
  person?: string;
  note?: string;
  explanations?: Explanation[]; // filed later; they excuse nothing
}

export interface Explanation {
  index: number; // of its entry in the hearing's log
  text: string;
  document?: string; // the note that the entry names by its digest, verbatim
  person?: string;
  reason?: string;
}

export interface TimeSums {
  declared_ms: number; // = recorded_ms + excused_ms + unexcused_ms
  recorded_ms: number;
  excused_ms: number;
  unexcused_ms: number;
  unexplained_ms: number;
}

export interface Account extends TimeSums {
  joins: number;
  join_error_ms: number;
  streams: (TimeSums & { stream: string; drift_ms: number })[];
}

export interface Mark {
  id: string;
  index: number; // of its entry: in the hearing's log (room) or the main log (archive)
  document?: string; // the note that the entry names by its digest, verbatim
  at: string;
  stream?: string;
  text: string;
  account_name: string;
  origin: "room" | "archive";
}

export interface Peaks { stream: string; utc: string; count: number; sha256: string }

export interface Timeline {
  start: string;
  end: string;
  live: boolean;
  log_size: number;
  streams: Stream[];
  gaps: Gap[];
  marks: Mark[];
  peaks: Peaks[];
  account: Account;
}

// `epoch`: in the log of an earlier one than the newest.
export interface ProvenEntry { index: number; entry: string; inclusion: string[]; epoch?: number }

// What leads from one epoch to the next (docs/formats/proof-and-policy.md).
export interface ProvenEpoch {
  epoch: number;
  checkpoint?: string; // the state that the next one goes on from; not of the newest
  officer_entries?: ProvenEntry[]; // who was an officer when; not of the newest
  promotion?: ProvenEntry; // not of the first
}

export interface Proof {
  hearing_checkpoint: string;
  main_checkpoint: string;
  checkpoint_entry?: ProvenEntry;
  key_entry?: ProvenEntry;
  revocation_entry?: ProvenEntry; // the recorder's key was revoked
  mark_entries?: ProvenEntry[]; // the marks that were made in the archive
  details_entries?: ProvenEntry[]; // the corrections of the details
  lost_entries?: ProvenEntry[]; // what officers declared lost of it
  officer_entries?: ProvenEntry[]; // who was an officer when; only beside those
  main_size: number;
  main_cosigned?: string[]; // the newest main checkpoint that each cosigner signed, with its signature
  epochs?: ProvenEpoch[]; // of an archive that was promoted: all, from the first to the newest
}

export interface MainEpochs { checkpoint: string; epochs: ProvenEpoch[] }

export interface LogState {
  size: number;
  root: string;
  utc?: string;
  cosigners: { name: string; size?: number; utc?: string; age_ms?: number }[];
  witnesses: { name: string; size: number; utc?: string; alarm: boolean }[];
}

// `what` and `todo` are the command line's English; pages have their own words for `code` and `facts`.
export interface StatusReason { code: string; facts: { [name: string]: string | number }; what: string; since?: string; todo: string }

export interface Status {
  state: "well" | "attention";
  reasons: StatusReason[];
  now: string;
  archive: { name: string; role: string; epoch: number; version: string };
  node: { machine_url: string; machines: number };  // the one that writes, of so many
  volumes: {
    id: string; path: string; domain: string; state: string; reason?: string; since?: string;
    used_bytes: number; total_bytes: number;
  }[];
  stations: {
    name: string; court: string; room: string; court_names: Names; room_names: Names;
    state: "enrolled" | "waiting" | "revoked"; last_receipt?: string; open_hearings: number;
  }[];
  log: LogState;
  second_sites: { name: string; main_size: number; entries_behind: number; last_utc?: string }[];
  origins: { name: string; heard: string; silent_ms: number; alarm: boolean; ahead?: KnownAhead }[];  // whose copies this archive holds
  drills: HeldCopy[];  // of the same
  scrub?: { utc: string; objects: number; bytes: number; failures: number };
  scrubbing: {
    by_service: boolean; lost: number;
    volumes: { volume: string; path: string; there: boolean; percent: number; began: string; ends?: string; late: boolean }[];
  };
  read_back: { lagging: number; oldest_age_ms: number; held_back: number };
  accesses: { waiting: number; since?: string };  // not in the main log yet
}

// What a replica knows of an archive and does not hold yet, because sound or picture still waits. `counted` false: there is more.
export interface KnownAhead {
  hearings: number; entries: number; main_entries: number; objects: number; bytes: number; oldest?: string; counted: boolean;
}

// One archive whose copy is kept here.
export interface HeldCopy {
  archive: string; since: string; last?: string; good?: string; due?: string; failures: number; late: boolean; running: boolean; problem?: string;
}

// The document that the entry of a drill names (docs/formats/main-log.md).
export interface DrillReport {
  asked: boolean; began: string; ended: string;
  catalogue?: { entries: number; equal: boolean; hearings: number; sum: string };
  day?: { bytes: number; date: string; hearings: number; objects: number };
  failure_count: number;
  failures: { code: string; what: string }[];
  level: number;
  media?: { frames: number; hearing: string; media_ms: number; segments: number; stream: string };
  ms: { catalogue: number; compare: number; day: number; decode: number; head: number; log: number; sample: number };
  rpo_ms: number;
  rto_ms?: number;
  sample: { bytes: number; entries: number; objects: number };
}

export interface Drill {
  index: number; archive: string; utc: string; size: number; root: string; objects: number; failures: number; seconds: number;
  report_sha256: string; report?: DrillReport;
}

export interface DrillList { archives: HeldCopy[]; drills: Drill[]; next_before?: number }

export interface MainEntries { entries: { index: number; entry: string }[]; next_before?: number }
