#include "archive/verify/export_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/verify/epochs.h"
#include "archive/verify/export_files.h"
#include "archive/verify/exported_epochs.h"
#include "archive/verify/files.h"
#include "archive/verify/grafts.h"
#include "archive/verify/hearing_check.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

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
    Policy policy = request_.policy;
    const std::vector<ExportedEpoch> epochs = read_exported_epochs(request_.folder, files_.listed, policy, report_);
    if (epochs.empty()) return;
    MainFacts facts(epochs.front().name.archive, report_);
    for (const ExportedEpoch& epoch : epochs) add_facts(facts, epoch, policy, *hearing);
    judge_grafts(epochs, facts.grafts(), report_);
    const ExportedEpoch& newest = epochs.back();
    MainContext context{facts, request_.policy, {}, newest.first + newest.checkpoint().size, 0, false, &local_, epochs.size()};
    std::vector<Cosignatures> cosignatures;
    std::vector<std::uint64_t> sizes;
    for (const ExportedEpoch& epoch : epochs) {
      cosignatures.emplace_back(request_.policy).add(epoch.head, report_);
      sizes.push_back(epoch.checkpoint().size);
      check_known(epoch, &epoch == &newest);
    }
    carry_back(cosignatures, sizes);
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const std::uint64_t covered = judge_coverage(epochs[i], cosignatures[i]);
      if (context.covered == epochs[i].first) context.covered += covered;
    }
    check_known_epoch(request_.known, newest.name, policy, report_);
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

  void add_facts(MainFacts& facts, const ExportedEpoch& epoch, const Policy& policy, const HearingId& hearing) {
    if (epoch.promotion) facts.add_promotion(epoch.first, *epoch.promotion);
    for (const auto& [index, entry] : epoch.entries) {
      const bool is_certificate = index == 0 && epoch.promotion;
      const std::uint64_t number = epoch.first + index;
      if (is_certificate || refuse_other_hearing(number, entry, hearing, fmt::format("{}/entries/{}.json", epoch.folder, index))) continue;
      facts.add(number, entry, policy);
    }
  }

  static Policy asked_of(const ExportedEpoch& epoch, const Policy& policy) {
    if (!epoch.promotion) return policy;
    NamedCosigners named;
    for (const auto& [index, entry] : epoch.entries) named.take(entry);
    return asked_of_epoch(policy, named);
  }

  // How many of its entries those cosigners of the policy have signed whom this epoch is asked for.
  std::uint64_t judge_coverage(const ExportedEpoch& epoch, const Cosignatures& cosignatures) {
    const Checkpoint& head = epoch.checkpoint();
    LogSummary summary{head.origin, head.size, head.root.hex(), {}, cosignatures.covered(head.size, asked_of(epoch, request_.policy))};
    for (const auto& [name, cosigned] : cosignatures.by_witness()) summary.cosigned.emplace_back(name, cosigned.time);
    const std::uint64_t covered = summary.covered;
    report_.add(std::move(summary));
    return covered;
  }

  void check_known(const ExportedEpoch& epoch, bool is_newest) {
    const Checkpoint& head = epoch.checkpoint();
    if (!request_.known || request_.known->checkpoint.origin != head.origin) return;
    const Checkpoint& known = request_.known->checkpoint;
    if (known.size == head.size && known.root != head.root) {
      report_.add(main_finding(Verdict::tampered, "main-inconsistent",
                               fmt::format("the archive signed two different main logs of {} entries: this one and the one whose "
                                           "checkpoint you hold", head.size),
                               epoch.head.file));
    } else if (known.size > head.size && !is_newest) {
      report_.note(fmt::format("the checkpoint of {} entries that you hold lies behind what epoch {} goes on from: it cannot be compared", known.size,
                               epoch.name.epoch + 1));
    } else if (known.size > head.size) {
      report_.add(main_finding(Verdict::incomplete, "stale",
                               fmt::format("the main log has grown from {} to {} entries since this export; what they say about the "
                                           "hearing is not in it. Ask the archive for a new export",
                                           head.size, known.size),
                               epoch.head.file));
    }
  }

  bool refuse_other_hearing(std::uint64_t number, std::string_view entry, const HearingId& hearing, const std::string& file) {
    const auto json = parse_canonical_json(entry);
    const auto id = json && json->has("hearing") ? json->string("hearing") : Result<std::string>(hearing.text());
    if (id && *id == hearing.text()) return false;
    Finding f = main_finding(Verdict::tampered, "hearing-swapped", "the main log's entries are of another hearing than the recording",
                             file);
    f.entry = number;
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
