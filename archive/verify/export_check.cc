#include "archive/verify/export_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/format/merkle.h"
#include "archive/verify/export_files.h"
#include "archive/verify/files.h"
#include "archive/verify/hearing_check.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxProofBytes = 128 * 1024;
constexpr std::uint64_t kMaxPlaylistBytes = 64 * 1024 * 1024;

// "objects/<sha256>.mp4" and so on: what the entry is says how the file is called.
std::string object_path(const std::map<std::string, Digest>& listed, const ObjectJob& job) {
  const std::string stem = "objects/" + job.digest.hex();
  if (job.segment) return stem + ".mp4";
  for (const char* suffix : {".json", ".bin", ".mp4"}) {
    if (listed.contains(stem + suffix)) return stem + suffix;
  }
  return stem + ".json";
}

// The lines of a playlist that decide what a player plays, as they follow from the log.
std::string expected_playlist(const std::vector<SegmentEntry>& segments, const std::string& stream) {
  std::string out;
  std::optional<std::uint64_t> run;
  for (const SegmentEntry& s : segments) {
    if (s.stream != stream) continue;
    const std::string uri = "../objects/" + s.sha256.hex() + ".mp4";
    if (run != s.run) out += fmt::format("#EXT-X-MAP:URI=\"{}\",BYTERANGE=\"{}@0\"\n", uri, s.init_bytes);
    const std::uint64_t from = run != s.run ? 0 : s.init_bytes;
    out += fmt::format("#EXT-X-BYTERANGE:{}@{}\n{}\n", s.bytes - from, from, uri);
    run = s.run;
  }
  return out;
}

std::string deciding_lines(std::string_view playlist) {
  std::string out;
  while (!playlist.empty()) {
    const std::size_t end = playlist.find('\n');
    const std::string_view line = playlist.substr(0, end);
    playlist = end == std::string_view::npos ? std::string_view() : playlist.substr(end + 1);
    constexpr std::string_view kHarmless[] = {"#EXTM3U", "#EXTINF:", "#EXT-X-VERSION:", "#EXT-X-TARGETDURATION:", "#EXT-X-ENDLIST",
                                              "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-PLAYLIST-TYPE:", "#EXT-X-PROGRAM-DATE-TIME:",
                                              "#EXT-X-DISCONTINUITY", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-DATERANGE:"};
    const bool harmless = line.empty() || std::any_of(std::begin(kHarmless), std::end(kHarmless),
                                                      [&](std::string_view start) { return line.starts_with(start); });
    if (!harmless) out += std::string(line) + "\n";
  }
  return out;
}

class ExportCheck {
 public:
  ExportCheck(const ExportRequest& request, Report& report) : request_(request), report_(report) {}

  void run() {
    files_ = check_export_files(request_.folder, report_);
    const auto hearing = hearing_id();
    if (!hearing) return;
    std::optional<NoteCopy> main = check_main();
    if (!main) return;
    const Checkpoint& head = main->signed_checkpoint.checkpoint;
    MainFacts facts(head.origin, report_);
    read_main_entries(facts, *main, *hearing);
    Cosignatures cosignatures(request_.policy);
    cosignatures.add(*main, report_);
    LogSummary summary{head.origin, head.size, head.root.hex(), {}, cosignatures.covered(head.size)};
    for (const auto& [name, cosigned] : cosignatures.by_witness()) summary.cosigned.emplace_back(name, cosigned.time);
    const MainContext context{facts, request_.policy, {}, head.size, summary.covered, false, &local_};
    report_.add(std::move(summary));
    check_hearing(*hearing, context);
  }

 private:
  std::string at(const std::string& path) const { return request_.folder + "/" + path; }

  Result<HearingId> hearing_id() {
    const auto text = read_text(at("hearing/checkpoint"), kMaxNoteBytes);
    const auto note = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
    const auto origin = note ? parse_hearing_origin(note->checkpoint.origin) : Result<HearingOrigin>(note.error());
    if (origin) return origin->id;
    Finding f;
    f.verdict = origin.error().code == Errc::io_error ? Verdict::unreadable : Verdict::tampered;
    f.code = f.verdict == Verdict::unreadable ? "unreadable" : "hearing-checkpoint";
    f.what = "the hearing's checkpoint cannot be used: " + origin.error().message;
    f.log = "hearing";
    f.file = "hearing/checkpoint";
    report_.add(std::move(f));
    return origin.error();
  }

  std::optional<NoteCopy> check_main() {
    const LogFiles log({"main", ""}, {at("main")}, local_, report_);
    const std::vector<NoteCopy> notes = log.checkpoints("main-checkpoint");
    if (notes.empty() && !kind_of(at("main/checkpoint"))) {
      report_.add(main_finding(Verdict::tampered, "main-checkpoint", "the export has no checkpoint of the main log", "main/checkpoint"));
    }
    std::optional<NoteCopy> main = choose_main(request_.policy, notes, report_);
    if (main) check_known(main->signed_checkpoint.checkpoint);
    return main;
  }

  void check_known(const Checkpoint& head) {
    if (!request_.known || request_.known->checkpoint.origin != head.origin) return;
    const Checkpoint& known = request_.known->checkpoint;
    if (known.size == head.size && known.root != head.root) {
      report_.add(main_finding(Verdict::tampered, "main-inconsistent",
                               fmt::format("the archive signed two different main logs of {} entries: this one and the one whose "
                                           "checkpoint you hold", head.size),
                               "main/checkpoint"));
    } else if (known.size > head.size) {
      report_.add(main_finding(Verdict::incomplete, "stale",
                               fmt::format("the main log has grown from {} to {} entries since this export; what they say about the "
                                           "hearing is not in it. Ask the archive for a new export",
                                           head.size, known.size),
                               "main/checkpoint"));
    }
  }

  // Every entry must be proved to be at its index; proofs and entries come in pairs.
  void read_main_entries(MainFacts& facts, const NoteCopy& main, const HearingId& hearing) {
    const Checkpoint& head = main.signed_checkpoint.checkpoint;
    std::map<std::uint64_t, std::string> indices;
    for (const auto& [path, digest] : files_.listed) {
      const bool entry = path.starts_with("main/entries/");
      if (!entry && !path.starts_with("main/proofs/")) continue;
      const std::size_t begin = path.find_last_of('/') + 1;
      const auto index = parse_decimal(std::string_view(path).substr(begin, path.find('.', begin) - begin));
      if (index) indices[*index] += entry ? "e" : "p";
    }
    if (!indices.contains(0)) {
      report_.add(main_finding(Verdict::tampered, "genesis", "the export does not have the first entry of the main log"));
    }
    for (const auto& [index, parts] : indices) {
      const std::string file = fmt::format("main/entries/{}.json", index);
      const auto entry = read_text(at(file), kMaxEntryBytes);
      const Status proved = entry ? prove(index, *entry, head) : Status(entry.error());
      if (!proved) {
        Finding f = main_finding(proved.error().code == Errc::io_error ? Verdict::unreadable : Verdict::tampered, "main-proof",
                                 "the main log does not have this entry at this place: " + proved.error().message, file);
        f.entry = index;
        report_.add(std::move(f));
        continue;
      }
      ++report_.entries;
      if (refuse_other_hearing(index, *entry, hearing, file)) continue;
      facts.add(index, *entry, request_.policy);
    }
  }

  Status prove(std::uint64_t index, std::string_view entry, const Checkpoint& head) const {
    const std::string text = GREFFE_TRY(read_text(at(fmt::format("main/proofs/{}.tlog-proof", index)), kMaxProofBytes));
    const TlogProof proof = GREFFE_TRY(parse_tlog_proof(text));
    const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(proof.checkpoint));
    if (proof.index != index) return fail(Errc::corrupt, "the proof is of another index");
    if (stated.checkpoint != head) return fail(Errc::corrupt, "the proof is for another checkpoint than main/checkpoint");
    return verify_inclusion(index, head.size, leaf_hash(as_bytes(entry)), proof.hashes, head.root);
  }

  bool refuse_other_hearing(std::uint64_t index, std::string_view entry, const HearingId& hearing, const std::string& file) {
    const auto json = parse_canonical_json(entry);
    const auto id = json && json->has("hearing") ? json->string("hearing") : Result<std::string>(hearing.text());
    if (id && *id == hearing.text()) return false;
    Finding f = main_finding(Verdict::tampered, "hearing-swapped", "the main log's entries are of another hearing than the recording",
                             file);
    f.entry = index;
    f.hearing = hearing.text();
    report_.add(std::move(f));
    return true;
  }

  void check_hearing(const HearingId& id, const MainContext& context) {
    SystemClock clock;
    Progress progress(clock, "verifying", files_.object_bytes, ProgressUnit::bytes);
    ObjectChecker objects([this](const ObjectJob& job) { return std::vector{at(object_path(files_.listed, job))}; }, request_.threads,
                          local_, report_, progress);
    HearingCheck check(id, {at("hearing")}, context, objects, report_);
    check.run();
    refuse_other_objects(id, check.named());
    check_playlists(id, check.segments());
    if (request_.sheet != nullptr) check_sheet(*request_.sheet, check, report_);
  }

  void refuse_other_objects(const HearingId& id, const std::vector<Digest>& named) {
    for (const auto& [path, digest] : files_.listed) {
      if (!path.starts_with("objects/")) continue;
      const auto name = digest_from_hex(std::string_view(path).substr(8, 64));
      if (name && std::binary_search(named.begin(), named.end(), *name)) continue;
      Finding f;
      f.code = "object-unnamed";
      f.what = "an object that no entry of the logs names";
      f.hearing = id.text();
      f.file = path;
      report_.add(std::move(f));
    }
  }

  // Playlists are for players and prove nothing; but what they play must be the recording and nothing else.
  void check_playlists(const HearingId& id, const std::vector<SegmentEntry>& segments) {
    for (const auto& [path, digest] : files_.listed) {
      if (!path.starts_with("play/")) continue;
      const std::string stream = path.substr(5, path.size() - 5 - 5);
      const auto text = read_text(at(path), kMaxPlaylistBytes);
      if (text && deciding_lines(*text) == expected_playlist(segments, stream)) continue;
      Finding f;
      f.code = "playlist";
      f.what = "a playlist does not play the recording as it was signed";
      f.hearing = id.text();
      f.stream = stream;
      f.file = path;
      report_.add(std::move(f));
    }
  }

  const ExportRequest& request_;
  Report& report_;
  ExportFiles files_;
  LocalFiles local_;
};

}  // namespace

void check_export(const ExportRequest& request, Report& report) {
  ExportCheck check(request, report);
  check.run();
}

}  // namespace greffe::verify
