// A whole archive in memory, as far as the catalogue can see it: documents, hearing logs and a main log. For tests and
// benchmarks; one thread.
#ifndef GREFFE_TESTS_UNIT_CATALOGUE_WORLD_H
#define GREFFE_TESTS_UNIT_CATALOGUE_WORLD_H

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "archive/catalogue/catalogue_builder.h"
#include "archive/format/documents.h"
#include "archive/format/entries.h"
#include "archive/format/finished_hearing.h"
#include "archive/format/merkle.h"

namespace greffe::testing {

class Directory {
 public:
  Directory() {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/greffe-catalogue-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What most tests vary of a hearing.
struct NewHearing {
  std::string case_number = {};
  std::vector<std::string> parties = {};
  std::string judge = "陈法官";
  std::string court = "lyon";
  std::string room = "room-1";
  std::string station = "station-1";
  std::string title = {};
  UtcTime start = {1'780'000'000'000};
  std::optional<HearingId> continues = {};
};

inline Details details_of(const NewHearing& hearing) {
  Details out;
  if (!hearing.case_number.empty()) out.cases = {hearing.case_number};
  for (const std::string& name : hearing.parties) out.parties.push_back({name, "partie", {}});
  out.judges = {hearing.judge};
  out.title = hearing.title;
  return out;
}

class World {
 public:
  Digest document(const std::string& bytes) {
    const Digest digest = sha256(as_bytes(bytes));
    documents[digest] = bytes;
    return digest;
  }

  // Opens a hearing's log; nothing is in the main log before checkpoint().
  HearingId open(const NewHearing& hearing) { return open(hearing, details_of(hearing)); }
  HearingId open(const NewHearing& hearing, const Details& details) {
    OpenEntry entry;
    entry.archive = "archive.court.example";
    entry.hearing = make_hearing_id(hearing.start);
    entry.station = hearing.station;
    entry.station_key = key.public_key();
    entry.court = hearing.court;
    entry.room = hearing.room;
    entry.streams = {{"cam-bench", "video", "room"}, {"mic-judge", "audio", "room"}};
    entry.details = document(write_details(details));
    entry.start = hearing.start;
    entry.continues = hearing.continues;
    entry.boot = "b";
    add(entry.hearing, entry);
    return entry.hearing;
  }
  void add(const HearingId& id, const HearingEntry& entry) { hearings[id].push_back(write_hearing_entry(entry)); }

  void segment(const HearingId& id, const std::string& stream, std::uint64_t seq, UtcTime utc) {
    SegmentEntry entry;
    entry.stream = stream;
    entry.seq = seq;
    entry.sha256 = sha256(as_bytes(id.text() + stream + std::to_string(seq)));
    entry.bytes = 1000;
    entry.init_bytes = 100;
    entry.start_90k = 90'000 + static_cast<std::int64_t>(seq) * 900'000;
    entry.duration_90k = 900'000;
    entry.codecs = "avc1.64001f";
    entry.utc = utc;
    entry.boot = "b";
    entry.clock = {"locked", 2};
    add(id, entry);
  }
  void gap(const HearingId& id, const std::string& reason, UtcTime from, UtcTime to) {
    GapEntry entry;
    entry.streams = {"*"};
    entry.from = from;
    entry.to = to;
    entry.boot = "b";
    entry.mono_ms = {0, to.ms - from.ms};
    entry.reason = reason;
    add(id, entry);
  }
  void mark(const HearingId& id, UtcTime at, const std::string& text) {
    MarkEntry entry;
    entry.at = at;
    entry.note = document(write_note("mark", text));
    entry.person = "clerk";
    add(id, entry);
  }
  void correct_in_room(const HearingId& id, const Details& details, UtcTime utc) {
    add(id, CorrectionEntry{document(write_details(details)), utc, "clerk"});
  }
  void close(const HearingId& id, UtcTime end, const std::vector<StreamTotal>& totals = {}) {
    CloseEntry entry;
    entry.end = end;
    entry.totals = totals;
    entry.boot = "b";
    add(id, entry);
  }

  // The hearing's log as it is now, into the main log, as an archive puts it there.
  void checkpoint(const HearingId& id, UtcTime utc = {1'790'000'000'000}) {
    Checkpoint checkpoint;
    checkpoint.origin = hearing_origin("archive.court.example", id);
    TreeEdge edge;
    FinishedHearing finished;
    bool closed = false;
    for (const std::string& text : hearings[id]) {
      const auto parsed = parse_hearing_entry(text);
      if (parsed) finished.take(edge.size(), *parsed);
      closed = parsed && std::holds_alternative<CloseEntry>(*parsed);
      edge.append(leaf_hash(as_bytes(text)));
    }
    checkpoint.size = edge.size();
    checkpoint.root = edge.root();
    SignedNote note;
    note.text = checkpoint.text();
    put_signature(note, sign_checkpoint(checkpoint, key));
    HearingCheckpointEntry entry;
    entry.hearing = id;
    entry.note = note.write();
    entry.closed = closed;
    entry.utc = utc;
    entry.beside = finished.beside();
    main_log.push_back(write_main_entry(entry));
  }
  HearingId file(const NewHearing& hearing) {
    const HearingId id = open(hearing);
    close(id, UtcTime{hearing.start.ms + 3'600'000});
    checkpoint(id);
    return id;
  }

  void log(const MainEntry& entry) { main_log.push_back(write_main_entry(entry)); }
  void correct(const HearingId& id, const Details& details, const std::string& reason, UtcTime utc = {1'791'000'000'000}) {
    DetailsEntry entry;
    entry.hearing = id;
    entry.details = document(write_details(details));
    entry.reason = document(write_note("reason", reason));
    entry.account = "u-1";
    entry.utc = utc;
    log(entry);
  }
  void archive_mark(const HearingId& id, UtcTime at, const std::string& text) {
    MarkAddedEntry entry;
    entry.hearing = id;
    entry.at = at;
    entry.note = document(write_note("mark", text));
    entry.account = "u-2";
    entry.utc = UtcTime{1'791'000'000'000};
    log(entry);
  }
  void name_place(const std::string& court, const std::string& room, const std::string& chinese,
                  const std::string& french) {
    PlaceEntry entry;
    entry.court = court;
    entry.room = room;
    entry.names = document(write_place_names({{"zh", chinese}, {"fr", french}}));
    if (room.empty()) entry.zone = "Europe/Paris";
    log(entry);
  }
  void station_key(const std::string& action, const std::string& name, const PublicKey& public_key) {
    KeyEntry entry;
    entry.action = action;
    entry.role = "station";
    entry.name = name;
    entry.key = public_key;
    entry.court = "lyon";
    entry.room = "room-1";
    if (action == "revoked") entry.why = "stolen";
    entry.since = UtcTime{1'770'000'000'000};
    entry.utc = UtcTime{1'770'000'000'000};
    log(entry);
  }

  catalogue::Sources sources() {
    catalogue::Sources out;
    out.document = [this](const Digest& digest) -> Result<std::string> {
      const auto found = documents.find(digest);
      if (found == documents.end()) return fail(Errc::not_found, "no document " + digest.hex());
      return found->second;
    };
    out.hearing = [this](const HearingId& id, std::uint64_t first, std::uint64_t last,
                         const std::function<bool(std::uint64_t, std::string_view)>& visit) -> Status {
      const auto found = hearings.find(id);
      if (found == hearings.end()) return fail(Errc::not_found, "no hearing " + id.text());
      if (last > found->second.size()) return fail(Errc::invalid, "beyond the head");
      for (std::uint64_t i = first; i < last; ++i) {
        if (!visit(i, found->second[i])) break;
      }
      return ok();
    };
    return out;
  }

  // Applies the rest of the main log in batches. The roots are those of the main log.
  Status apply_all(catalogue::CatalogueBuilder& builder, std::size_t batch = 1000) {
    TreeEdge edge;
    for (std::uint64_t i = 0; i < builder.next(); ++i) edge.append(leaf_hash(as_bytes(main_log[i])));
    while (builder.next() < main_log.size()) {
      const std::uint64_t index = builder.next();
      edge.append(leaf_hash(as_bytes(main_log[index])));
      GREFFE_TRY(builder.apply(index, main_log[index]));
      if (builder.next() == main_log.size() || builder.next() % batch == 0) GREFFE_TRY(builder.commit(edge.root()));
    }
    return ok();
  }

  PrivateKey key = PrivateKey::generate();
  std::unordered_map<Digest, std::string> documents;
  std::map<HearingId, std::vector<std::string>> hearings;
  std::vector<std::string> main_log;
};

}  // namespace greffe::testing

#endif
