#include "archive/verify/exported_epochs.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/merkle.h"
#include "archive/verify/epochs.h"
#include "archive/verify/files.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxProofBytes = 128 * 1024;
constexpr std::string_view kEpochFolder = "main/epoch/";

class ExportedEpochs {
 public:
  ExportedEpochs(const std::string& folder, const std::map<std::string, Digest>& listed, Policy& policy, Report& report)
      : folder_(folder), listed_(listed), policy_(policy), report_(report) {}

  std::vector<ExportedEpoch> read() {
    if (!read_first()) return {};
    const std::uint64_t newest = newest_listed();
    for (std::uint64_t epoch = 2; epoch <= newest; ++epoch) {
      const EpochName name{chain_.front().name.archive, epoch};
      const Status followed = epoch > kExportedEpochsMax ? Status(fail(Errc::denied, fmt::format("an export has at most {} epochs", kExportedEpochsMax))) : follow(name);
      if (followed) continue;
      report_.add(not_an_epoch(name, followed.error(), epoch_folder(epoch) + "/checkpoint"));
      break;
    }
    return std::move(chain_);
  }

 private:
  std::string at(const std::string& path) const { return folder_ + "/" + path; }

  std::uint64_t newest_listed() const {
    std::uint64_t newest = 1;
    for (auto file = listed_.lower_bound(std::string(kEpochFolder)); file != listed_.end(); ++file) {
      const auto epoch = epoch_of_path(file->first);
      if (!epoch) break;
      newest = std::max(newest, *epoch);
    }
    return newest;
  }

  bool read_first() {
    const std::vector<NoteCopy> notes = checkpoints("main");
    if (notes.empty() && !kind_of(at("main/checkpoint"))) {
      report_.add(main_finding(Verdict::tampered, "main-checkpoint", "the export has no checkpoint of the main log", "main/checkpoint"));
    }
    auto chosen = choose_main(policy_, notes, report_);
    if (!chosen) return false;
    const auto name = parse_epoch_origin(chosen->signed_checkpoint.checkpoint.origin);
    if (name && name->epoch != 1) {
      report_.add(main_finding(Verdict::tampered, "main-origin", "the log in the place of the first epoch's is of a later one", "main/checkpoint"));
      return false;
    }
    ExportedEpoch first{{chosen->signed_checkpoint.checkpoint.origin, 1}, "main", std::move(*chosen), 0, {}, {}};
    read_entries(first);
    if (!listed_.contains("main/entries/0.json") && !listed_.contains("main/proofs/0.tlog-proof")) {
      report_.add(main_finding(Verdict::tampered, "genesis", "the export does not have the first entry of the main log"));
    }
    believe(std::move(first));
    return true;
  }

  // denied: why it is not believed.
  Status follow(const EpochName& name) {
    const ExportedEpoch& before = chain_.back();
    std::vector<NoteCopy> notes = checkpoints(epoch_folder(name.epoch));
    if (notes.empty()) return fail(Errc::denied, "the export has no checkpoint of it");
    ExportedEpoch next{name, epoch_folder(name.epoch), std::move(notes.front()), before.first + before.checkpoint().size, {}, {}};
    read_entries(next);
    if (!next.entries.contains(0)) return fail(Errc::denied, "the export does not have its first entry");
    next.promotion = GREFFE_TRY(parse_promotion(next.entries.at(0)));
    const bool had_pinned = next.promotion->previous == before.checkpoint();
    GREFFE_TRY(believe_epoch(before.name, had_pinned, officers_, name, *next.promotion, next.head.signed_checkpoint));
    policy_.logs.push_back(next.promotion->log_verifier());
    believe(std::move(next));
    return ok();
  }

  void believe(ExportedEpoch epoch) {
    for (const auto& [index, entry] : epoch.entries) officers_.take(entry);
    chain_.push_back(std::move(epoch));
  }

  std::vector<NoteCopy> checkpoints(const std::string& relative) {
    std::vector<NoteCopy> notes = LogFiles({"main", ""}, {at(relative)}, local_, report_).checkpoints("main-checkpoint");
    for (NoteCopy& note : notes) note.file = relative + "/checkpoint";
    return notes;
  }

  // Proofs and entries come in pairs.
  void read_entries(ExportedEpoch& epoch) {
    std::map<std::uint64_t, std::string> files;
    for (const std::string part : {"/entries/", "/proofs/"}) {
      const std::string begin = epoch.folder + part;
      for (auto file = listed_.lower_bound(begin); file != listed_.end() && file->first.starts_with(begin); ++file) {
        const auto index = parse_decimal(std::string_view(file->first).substr(begin.size(), file->first.find('.') - begin.size()));
        if (index) files[*index] = fmt::format("{}/entries/{}.json", epoch.folder, *index);
      }
    }
    for (const auto& [index, file] : files) {
      auto entry = read_text(at(file), kMaxEntryBytes);
      const Status proved = entry ? prove(epoch, index, *entry) : Status(entry.error());
      if (proved) {
        ++report_.entries;
        epoch.entries.emplace(index, std::move(*entry));
        continue;
      }
      Finding f = main_finding(proved.error().code == Errc::io_error ? Verdict::unreadable : Verdict::tampered, "main-proof",
                               "the main log does not have this entry at this place: " + proved.error().message, file);
      f.entry = epoch.first + index;
      report_.add(std::move(f));
    }
  }

  Status prove(const ExportedEpoch& epoch, std::uint64_t index, std::string_view entry) const {
    const std::string text = GREFFE_TRY(read_text(at(fmt::format("{}/proofs/{}.tlog-proof", epoch.folder, index)), kMaxProofBytes));
    const TlogProof proof = GREFFE_TRY(parse_tlog_proof(text));
    const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(proof.checkpoint));
    if (proof.index != index) return fail(Errc::corrupt, "the proof is of another index");
    if (stated.checkpoint != epoch.checkpoint()) return fail(Errc::corrupt, "the proof is for another checkpoint than " + epoch.head.file);
    return verify_inclusion(index, epoch.checkpoint().size, leaf_hash(as_bytes(entry)), proof.hashes, epoch.checkpoint().root);
  }

  const std::string& folder_;
  const std::map<std::string, Digest>& listed_;
  Policy& policy_;
  Report& report_;
  LocalFiles local_;
  std::vector<ExportedEpoch> chain_;
  Officers officers_;  // as the chain names them
};

}  // namespace

std::string epoch_folder(std::uint64_t epoch) { return epoch == 1 ? "main" : fmt::format("{}{}", kEpochFolder, epoch); }

std::optional<std::uint64_t> epoch_of_path(std::string_view path) {
  if (!path.starts_with(kEpochFolder)) return std::nullopt;
  const std::string_view rest = path.substr(kEpochFolder.size());
  const auto epoch = parse_decimal(rest.substr(0, rest.find('/')));
  if (!epoch || *epoch < 2 || *epoch > kEpochMax) return std::nullopt;
  return *epoch;
}

std::vector<ExportedEpoch> read_exported_epochs(const std::string& folder, const std::map<std::string, Digest>& listed, Policy& policy, Report& report) {
  return ExportedEpochs(folder, listed, policy, report).read();
}

}  // namespace greffe::verify
