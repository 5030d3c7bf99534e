#include "archive/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "archive/base/progress.h"
#include "archive/epoch_end.h"
#include "archive/format/policy.h"
#include "archive/format/tiles.h"
#include "archive/playlist.h"
#include "archive/retrieval.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kEntriesPerQuestion = 200;

// Files of the folder with their digests, for the manifest. It has its name only when it is whole.
class Folder {
 public:
  Folder(FileSystem& files, std::string path) : files_(files), final_path_(std::move(path)), path_(final_path_ + ".part") {}

  Status begin() {
    if (files_.stat(final_path_)) {
      return fail(Errc::already_exists, final_path_ + " is there already; name a folder that does not exist");
    }
    if (files_.stat(path_)) {
      return fail(Errc::already_exists, path_ + " is left from an export that broke off; remove it and try again");
    }
    return files_.make_directories(path_);
  }
  Status add(const std::string& name, ByteView bytes) {
    const std::string path = join(path_, name);
    GREFFE_TRY(files_.make_directories(parent_of(path)));
    const auto file = GREFFE_TRY(files_.create(path, 0644));
    GREFFE_TRY(file->write(bytes));
    GREFFE_TRY(file->sync());
    manifest_.emplace_back(name, sha256(bytes));
    out_.files += 1;
    out_.bytes += bytes.size();
    return ok();
  }
  Status add(const std::string& name, std::string_view text) { return add(name, as_bytes(text)); }
  // Last: a folder without it is not whole.
  Result<Exported> finish() {
    std::sort(manifest_.begin(), manifest_.end());
    std::string text;
    for (const auto& [name, digest] : manifest_) text += digest.hex() + "  " + name + "\n";
    GREFFE_TRY(add("manifest-sha256.txt", text));
    GREFFE_TRY(files_.sync_directory(path_));
    GREFFE_TRY(files_.rename(path_, final_path_));
    GREFFE_TRY(files_.sync_directory(parent_of(final_path_)));
    return out_;
  }

 private:
  FileSystem& files_;
  const std::string final_path_;
  const std::string path_;
  std::vector<std::pair<std::string, Digest>> manifest_;
  Exported out_;
};

class Export {
 public:
  Export(FileSystem& files, Clock& clock, Stores stores, std::string main_log, tlog::LogChain main, const catalogue::Catalogue& catalogue,
         const HearingId& id, const std::string& directory)
      : clock_(clock), stores_(stores), catalogue_(catalogue), id_(id), main_log_(std::move(main_log)), main_(std::move(main)),
        hearing_(stores.objects, stores.heads, hearing_log_path(id)), folder_(files, directory) {}

  Result<Exported> run(const std::string& policy) {
    const catalogue::HearingRecord record = GREFFE_TRY(catalogue_.hearing(id_, catalogue::CourtSet::everything()));
    std::uint64_t bytes = 0;
    for (const catalogue::StreamFacts& stream : record.row.streams) bytes += stream.bytes;
    progress_.emplace(clock_, "exporting", bytes, ProgressUnit::bytes);
    GREFFE_TRY(folder_.begin());
    GREFFE_TRY(folder_.add("policy.txt", policy));
    GREFFE_TRY(folder_.add("README.txt", readme(record)));
    GREFFE_TRY(add_hearing_log());
    GREFFE_TRY(add_main_entries(record));
    GREFFE_TRY(add_objects());
    GREFFE_TRY(add_playlists());
    return folder_.finish();
  }

 private:
  std::string readme(const catalogue::HearingRecord& record) const {
    return fmt::format(
        "Hearing {} of the archive that signs as {}\n\n"
        "Watch:   open play/<stream>.m3u8 in VLC or another player; every file below objects/ that ends in .mp4 also plays alone.\n"
        "Verify:  greffe-verify --policy POLICY THIS-FOLDER\n"
        "         POLICY must come from the court, not from this folder: policy.txt is here for reading only.\n"
        "By hand: sha256sum -c manifest-sha256.txt shows transport damage; the signatures are in hearing/checkpoint and\n"
        "         main/checkpoint (signed notes of C2SP), the proofs in main/proofs (C2SP tlog-proof).{}\n",
        id_.text(), record.origin,
        main_.links().size() == 1 ? "" : "\n         The archive was promoted: main/epoch/<n> is the same of its later main logs, which begin with their officers' certificate.");
  }

  Status add_head(const std::string& log_path, const std::string& folder) {
    const std::string head = GREFFE_TRY(stores_.heads.read_head(checkpoint_path(log_path)));
    return folder_.add(folder + "/checkpoint", head);
  }

  Status add_cosigned(const std::string& log_path, const std::string& folder) {
    const std::vector<catalogue::KnownKey> cosigners = GREFFE_TRY(catalogue_.keys("cosigner"));
    for (const catalogue::KnownKey& known : cosigners) {
      const VerifierKey key = GREFFE_TRY(parse_verifier_key(known.cosigner));
      const auto newest = newest_cosigned(stores_.heads, log_path, key);
      if (!newest) continue;
      const std::string name = cosigned_path(log_path, key.id());
      GREFFE_TRY(folder_.add(folder + "/cosigned/" + name.substr(name.find_last_of('/') + 1), newest->note.write()));
    }
    return ok();
  }

  // The whole hearing log in the layout of tlog-tiles, with the partial tiles of its final size.
  Status add_hearing_log() {
    GREFFE_TRY(add_head(hearing_log_path(id_), "hearing"));
    GREFFE_TRY(add_cosigned(hearing_log_path(id_), "hearing"));
    const SignedCheckpoint head = GREFFE_TRY(hearing_.checkpoint());
    const std::uint64_t size = head.checkpoint.size;
    for (unsigned level = 0; level == 0 || (size >> (8 * level)) != 0; ++level) {
      const std::uint64_t hashes = size >> (8 * level);
      for (std::uint64_t first = 0; first < hashes; first += kTileWidth) {
        const auto width = static_cast<unsigned>(std::min(kTileWidth, hashes - first) % kTileWidth);
        GREFFE_TRY(add_tile(TileName{false, level, first / kTileWidth, width}));
        if (level == 0) GREFFE_TRY(add_tile(TileName{true, 0, first / kTileWidth, width}));
      }
    }
    return ok();
  }

  Status add_tile(const TileName& name) {
    const Bytes bytes = GREFFE_TRY(hearing_.tile(name));
    return folder_.add("hearing/" + name.path(), bytes);
  }

  // Indices that the catalogue knows for a question, all pages.
  Status collect(catalogue::EntryQuery query, std::set<std::uint64_t>& out) {
    query.limit = kEntriesPerQuestion;
    for (;;) {
      const std::vector<std::uint64_t> page = GREFFE_TRY(catalogue_.entries(query));
      out.insert(page.begin(), page.end());
      if (page.size() < query.limit) return ok();
      query.before = page.back();
    }
  }

  // The first of every epoch, every entry about the station's key, a cosigner's or an officer's, and every entry about the hearing.
  Result<std::set<std::uint64_t>> entries_about(const catalogue::HearingRecord& record) {
    std::set<std::uint64_t> out{record.checkpoint_index};
    for (const tlog::LogChain::Link& link : main_.links()) out.insert(link.first);
    catalogue::EntryQuery about_hearing;
    about_hearing.hearing = id_;
    GREFFE_TRY(collect(about_hearing, out));
    catalogue::EntryQuery about_keys;
    about_keys.kind = "key";
    std::set<std::uint64_t> keys;
    GREFFE_TRY(collect(about_keys, keys));
    for (const std::uint64_t index : keys) {
      const std::vector<std::string> text = GREFFE_TRY(main_.entries(index, index + 1));
      const MainEntry entry = GREFFE_TRY(parse_main_entry(text[0]));
      const auto* key = std::get_if<KeyEntry>(&entry);
      const bool is_stations = key != nullptr && key->role == "station" && key->key == record.station_key;
      if (is_stations || (key != nullptr && (key->role == "cosigner" || key->role == "officer"))) out.insert(index);
    }
    return out;
  }

  // Of the checkpoints that cover the hearing's last commit, the one that most other sites have signed, then most witnesses, then the
  // newest; nobody: the head.
  Result<SignedCheckpoint> best_main_checkpoint(std::uint64_t last_commit) {
    struct Candidate {
      SignedCheckpoint checkpoint;
      std::size_t sites = 0;
      std::size_t witnesses = 0;
    };
    std::map<Checkpoint, Candidate> candidates;
    for (const std::string_view role : {"cosigner", "witness"}) {
      const std::vector<VerifierKey> keys = GREFFE_TRY(cosigning_keys(catalogue_, {role}));
      for (const VerifierKey& key : keys) {
        const auto newest = newest_cosigned(stores_.heads, main_log_, key);
        if (!newest || newest->checkpoint.size <= last_commit) continue;
        Candidate& candidate = candidates.try_emplace(newest->checkpoint, Candidate{*newest}).first->second;
        put_line(*newest, key, candidate.checkpoint);
        ++(role == "witness" ? candidate.witnesses : candidate.sites);
      }
    }
    const auto rank = [](const Candidate& one) { return std::tuple(one.sites, one.witnesses, one.checkpoint.checkpoint.size); };
    const auto best = std::max_element(candidates.begin(), candidates.end(), [&rank](const auto& a, const auto& b) { return rank(a.second) < rank(b.second); });
    if (best == candidates.end()) return main_.checkpoint();
    return std::move(best->second.checkpoint);
  }

  Result<SignedCheckpoint> checkpoint_of(const tlog::LogChain::Link& link, std::uint64_t last_commit) {
    if (&link != &main_.newest()) return end_of_epoch(stores_, catalogue_, main_, link);
    return best_main_checkpoint(last_commit < link.first ? 0 : last_commit - link.first);
  }

  Status add_main_entries(const catalogue::HearingRecord& record) {
    const std::set<std::uint64_t> numbers = GREFFE_TRY(entries_about(record));
    std::map<const tlog::LogChain::Link*, SignedCheckpoint> checkpoints;
    for (const tlog::LogChain::Link& link : main_.links()) {
      const SignedCheckpoint head = GREFFE_TRY(checkpoint_of(link, record.checkpoint_index));
      GREFFE_TRY(folder_.add(folder_of(link) + "/checkpoint", head.note.write()));
      checkpoints.emplace(&link, head);
    }
    for (const std::uint64_t number : numbers) {
      const auto [link, index] = main_.place_of(number);
      const SignedCheckpoint& head = checkpoints.at(link);
      if (index < head.checkpoint.size) GREFFE_TRY(add_main_entry(*link, index, head));
    }
    return ok();
  }

  static std::string folder_of(const tlog::LogChain::Link& link) {
    return link.name.epoch == 1 ? "main" : fmt::format("main/epoch/{}", link.name.epoch);
  }

  Status add_main_entry(const tlog::LogChain::Link& link, std::uint64_t index, const SignedCheckpoint& head) {
    const std::vector<std::string> entry = GREFFE_TRY(link.reader.entries(index, index + 1));
    TlogProof proof;
    proof.index = index;
    proof.hashes = GREFFE_TRY(link.reader.inclusion(index, head.checkpoint.size));
    proof.checkpoint = head.note.write();
    GREFFE_TRY(folder_.add(fmt::format("{}/entries/{}.json", folder_of(link), index), entry[0]));
    GREFFE_TRY(folder_.add(fmt::format("{}/proofs/{}.tlog-proof", folder_of(link), index), write_tlog_proof(proof)));
    const Json json = GREFFE_TRY(parse_json(entry[0]));
    if (json.find("kind") != nullptr && *json.find("kind") == Json("account")) return ok();  // snapshots are never handed out
    for (const Digest& digest : named_objects(json)) GREFFE_TRY(add_object(digest, ".json"));
    return ok();
  }

  Status add_object(const Digest& digest, std::string_view ending) {
    if (!objects_.insert(digest).second) return ok();
    const auto bytes = stores_.objects.read_object(digest);
    // What a `lost` entry names is missing by declaration; what is lost without one, the verifier will name.
    if (!bytes && (bytes.error().code == Errc::not_found || bytes.error().code == Errc::corrupt)) return ok();
    if (!bytes) return bytes.error();
    progress_->add(bytes->size());
    return folder_.add("objects/" + digest.hex() + std::string(ending), *bytes);
  }

  Status add_objects() {
    const SignedCheckpoint head = GREFFE_TRY(hearing_.checkpoint());
    Status added = ok();
    GREFFE_TRY(hearing_.entries(0, head.checkpoint.size, [&](std::uint64_t, std::string_view text) {
      added = add_objects_of(text);
      return bool(added);
    }));
    return added;
  }

  Status add_objects_of(std::string_view text) {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
    const Json json = GREFFE_TRY(parse_json(text));
    const std::string_view ending = std::holds_alternative<SegmentEntry>(entry) ? ".mp4"
                                    : std::holds_alternative<PeaksEntry>(entry) ? ".bin" : ".json";
    if (std::holds_alternative<LostEntry>(entry)) return ok();
    for (const Digest& digest : named_objects(json)) GREFFE_TRY(add_object(digest, ending));
    return ok();
  }

  Status add_playlists() {
    HearingLogs hearings(stores_, {1, 1});
    const Timeline timeline = GREFFE_TRY(Retrieval(stores_, hearings).timeline(id_));
    const std::vector<catalogue::Mark> marks = GREFFE_TRY(catalogue_.marks(id_, catalogue::CourtSet::everything()));
    for (const TimelineStream& stream : timeline.streams) {
      if (stream.segments.empty()) continue;
      GREFFE_TRY(folder_.add("play/" + stream.stream.name + ".m3u8", stream_playlist(timeline, stream, marks, "../objects/")));
    }
    return ok();
  }

  Clock& clock_;
  Stores stores_;
  const catalogue::Catalogue& catalogue_;
  const HearingId id_;
  const std::string main_log_;  // path of the newest epoch's log
  const tlog::LogChain main_;
  const tlog::LogReader hearing_;
  Folder folder_;
  std::set<Digest> objects_;  // written already
  std::optional<Progress> progress_;
};

}  // namespace

Result<Exported> export_hearing(FileSystem& files, Clock& clock, Stores stores, const tlog::MainLogPlace& main_log, const catalogue::Catalogue& catalogue,
                                const std::string& policy, const HearingId& id, const std::string& directory) {
  const bool one_epoch = main_log.name.epoch == 1;
  const tlog::LogChain chain = one_epoch ? tlog::LogChain(tlog::LogReader(stores.objects, stores.heads, main_log.path))
                                         : GREFFE_TRY(tlog::LogChain::open(stores.objects, stores.heads, main_log));
  return Export(files, clock, stores, main_log.path, chain, catalogue, id, directory).run(policy);
}

}  // namespace greffe::archive
