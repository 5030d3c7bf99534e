#include "archive/verify/verifier.h"

#include "archive/format/policy.h"
#include "archive/format/promotion.h"
#include "archive/verify/export_check.h"
#include "archive/verify/files.h"
#include "archive/verify/main_check.h"
#include "archive/verify/pool_check.h"
#include "archive/verify/remote_files.h"
#include "archive/verify/sheet_check.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxPolicyBytes = 256 * 1024;

bool is_volume(const std::string& path) { return kind_of(path + "/greffe-volume.json").has_value(); }
bool is_export(const std::string& path) {
  return kind_of(path + "/hearing").has_value() || kind_of(path + "/manifest-sha256.txt").has_value();
}

Result<Policy> read_policy(const std::string& file) {
  const auto text = read_text(file, kMaxPolicyBytes);
  if (!text) return text.error().within("the policy cannot be read");
  auto policy = parse_policy(*text);
  if (!policy) return policy.error().within(file);
  return policy;
}

Result<SignedCheckpoint> read_known(const std::string& file, const Policy& policy) {
  const std::string text = GREFFE_TRY(read_text(file, kMaxNoteBytes));
  const auto note = parse_signed_checkpoint(text);
  if (!note) return fail(Errc::invalid, file + " is not a checkpoint: " + note.error().message);
  const auto epoch = parse_epoch_origin(note->checkpoint.origin);
  if (epoch && epoch->epoch > 1 && trusted_log(policy, epoch->archive) != nullptr) return *note;  // judged where the chain gives its key
  const VerifierKey* key = trusted_log(policy, note->checkpoint.origin);
  if (key == nullptr || !verify_note(note->note, *key)) {
    return fail(Errc::invalid, file + " is not signed by a log that the policy names; it cannot be compared with");
  }
  return *note;
}

// What was given, sorted into exports and volumes; a folder whose children are volumes stands for them.
struct Paths {
  std::vector<std::string> exports;
  std::vector<std::string> volumes;
};
Result<Paths> sort_paths(const std::vector<std::string>& paths) {
  Paths out;
  for (std::string path : paths) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const auto names = names_in(path);
    if (!names) return names.error();
    if (is_volume(path)) {
      out.volumes.push_back(path);
      continue;
    }
    if (is_export(path)) {
      out.exports.push_back(path);
      continue;
    }
    const std::size_t before = out.volumes.size();
    for (const std::string& name : *names) {
      const std::string child = path + "/" + name;
      const auto kind = kind_of(child);
      if (kind && *kind == FileKind::directory && is_volume(child)) out.volumes.push_back(child);
    }
    if (out.volumes.size() == before) {
      return fail(Errc::invalid, path + " is neither an exported hearing nor a volume (greffe-volume.json is not there)");
    }
  }
  if (!out.exports.empty() && !out.volumes.empty()) {
    return fail(Errc::invalid, "exports and volumes cannot be verified in one call; name one kind at a time");
  }
  return out;
}

// A sheet is of one hearing.
Status refuse_for_sheet(const Paths& paths) {
  if (paths.volumes.empty() && paths.exports.size() <= 1) return ok();
  return fail(Errc::invalid, "--sheet is compared with one exported hearing; name that as PATH (greffe-archive export makes one)");
}

}  // namespace

Result<std::unique_ptr<Report>> verify(const VerifyRequest& request) {
  const Policy policy = GREFFE_TRY(read_policy(request.policy_file));
  std::optional<SignedCheckpoint> known;
  if (!request.main_checkpoint_file.empty()) known = GREFFE_TRY(read_known(request.main_checkpoint_file, policy));
  LocalFiles local;
  ConfiguredPool configured;
  if (!request.pool_config.empty()) configured = GREFFE_TRY(open_configured_pool(request.pool_config));
  const bool is_remote = configured.files != nullptr;
  Paths paths = GREFFE_TRY(sort_paths(configured.volumes.empty() ? request.paths : configured.volumes));
  if (is_remote) paths.volumes = {configured.name};
  auto report = std::make_unique<Report>();
  std::optional<Sheet> sheet;
  if (!request.sheet_file.empty()) {
    GREFFE_TRY(refuse_for_sheet(paths));
    sheet = GREFFE_TRY(read_sheet(request.sheet_file, *report));
  }
  if (paths.exports.empty() && paths.volumes.empty()) {
    report->set_paths("sheet", {request.sheet_file});
    if (sheet) check_sheet_alone(*sheet, policy, *report);
    return report;
  }
  report->set_paths(paths.volumes.empty() ? "export" : "pool", paths.volumes.empty() ? paths.exports : paths.volumes);
  if (!paths.volumes.empty()) {
    GREFFE_TRY(check_pool(PoolRequest{paths.volumes, policy, known, request.threads, is_remote ? *configured.files : local, !is_remote}, *report));
  }
  for (const std::string& folder : paths.exports) {
    check_export(ExportRequest{folder, policy, known, request.threads, sheet ? &*sheet : nullptr}, *report);
  }
  return report;
}

}  // namespace greffe::verify
