#include "ingest/hearing_key.h"

#include <fmt/format.h>

#include "ingest/continuation.h"
#include "ingest/import_begin.h"
#include "ingest/main_log_seen.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 64 * 1024;
constexpr int kMostKeys = 10'000;

std::string earlier_key_path(const std::string& directory, int number) { return join(directory, fmt::format("station-{}.key", number)); }
std::string next_key_path(const std::string& directory) { return station_key_path(directory) + ".new"; }

Result<PrivateKey> load_key(FileSystem& files, const std::string& path) {
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxKeyBytes));
  auto key = PrivateKey::from_pem(as_text(bytes));
  if (!key) return key.error().within(path);
  return key;
}

Status check_all_finished(FileSystem& files, const std::string& directory) {
  const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files, directory));
  for (const HearingId& id : ids) {
    const SpoolPaths paths = spool_of(directory, id);
    if (GREFFE_TRY(read_continuation(files, paths))) continue;
    const SignedLog log = GREFFE_TRY(read_signed_log(files, paths));
    const auto last = log.entries.empty() ? Result<HearingEntry>(fail(Errc::not_found, "")) : parse_hearing_entry(log.entries.back());
    if (last && std::holds_alternative<CloseEntry>(*last)) continue;
    return fail(Errc::conflict, fmt::format("hearing {} is not finished, and could not be under another key: greffe-ingest close --hearing {}; "
                                            "then renew the key", id.text(), id.text()));
  }
  return ok();
}

// The key that a broken-off renewal may have enrolled already, or a new one.
Result<PrivateKey> next_key(FileSystem& files, const std::string& directory) {
  auto begun = load_key(files, next_key_path(directory));
  if (begun || begun.error().code != Errc::not_found) return begun;
  PrivateKey key = PrivateKey::generate();
  GREFFE_TRY(files.replace(next_key_path(directory), as_bytes(key.to_pem()), 0600));
  return key;
}

// The old key gets its number before the new one takes its name: a crash between leaves it under two names.
Status put_in_place(FileSystem& files, const std::string& directory) {
  const PrivateKey old = GREFFE_TRY(load_station_key(files, directory, false));
  if (!load_earlier_key(files, directory, old.public_key())) {
    Status linked = fail(Errc::already_exists, "");
    for (int number = 1; !linked && linked.error().code == Errc::already_exists && number <= kMostKeys; ++number) {
      linked = files.link_file(station_key_path(directory), earlier_key_path(directory, number));
    }
    GREFFE_TRY(linked);
    GREFFE_TRY(files.sync_directory(directory));
  }
  GREFFE_TRY(files.rename(next_key_path(directory), station_key_path(directory)));
  return files.sync_directory(directory);
}

}  // namespace

std::optional<PublicKey> key_named_in(const SignedLog& log) {
  if (log.entries.empty()) return std::nullopt;
  const auto first = parse_hearing_entry(log.entries.front());
  const auto* open = first ? std::get_if<OpenEntry>(&*first) : nullptr;
  return open == nullptr ? std::nullopt : std::optional(open->station_key);
}

Result<PrivateKey> load_earlier_key(FileSystem& files, const std::string& directory, const PublicKey& wanted) {
  for (int number = 1; number <= kMostKeys; ++number) {
    auto key = load_key(files, earlier_key_path(directory, number));
    if (!key && key.error().code == Errc::not_found) break;
    if (!key) return key.error();
    if (key->public_key() == wanted) return key;
  }
  return fail(Errc::not_found, fmt::format("no key in {} is the one that signed this hearing; it was recorded by another station", directory));
}

Result<Enrolment> renew_station_key(FileSystem& files, const std::string& directory, std::string_view code_text) {
  const Enrolment known = GREFFE_TRY(load_enrolment(files, directory));
  const auto lock = GREFFE_TRY(files.lock(join(spool_path(directory), "lock")));  // no hearing begins meanwhile
  GREFFE_TRY(check_all_finished(files, directory));
  const PrivateKey key = GREFFE_TRY(next_key(files, directory));
  const Enrolment enrolment = GREFFE_TRY(enrol_key(files, directory, code_text, key));
  GREFFE_TRY(put_in_place(files, directory));
  return enrolment;
}

}  // namespace greffe::ingest
