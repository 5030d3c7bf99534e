#include "ingest/lost_objects.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/continuation.h"
#include "ingest/import_begin.h"
#include "ingest/main_log_seen.h"
#include "ingest/second_catch_up.h"

namespace greffe::ingest {
namespace {

std::string clock_of(UtcTime time) { return to_text(time).substr(11, 8); }

// What the entry's object is; empty when it names none of `objects`.
std::string part_of(const std::string& text, const std::set<Digest>& objects) {
  const auto entry = parse_hearing_entry(text);
  const auto json = parse_canonical_json(text);
  if (!entry || !json || std::holds_alternative<LostEntry>(*entry)) return {};
  const std::vector<Digest> named = named_objects(*json);
  if (std::none_of(named.begin(), named.end(), [&](const Digest& digest) { return objects.contains(digest); })) return {};
  if (const auto* segment = std::get_if<SegmentEntry>(&*entry)) {
    return fmt::format("{} from {} to {}", segment->stream, to_text(segment->utc), clock_of(UtcTime{segment->utc.ms + segment->duration_90k / 90}));
  }
  if (const auto* peaks = std::get_if<PeaksEntry>(&*entry)) return fmt::format("level peaks of {} from {}", peaks->stream, to_text(peaks->utc));
  if (const auto* mark = std::get_if<MarkEntry>(&*entry)) return fmt::format("the words of the mark at {}", to_text(mark->at));
  if (const auto* gap = std::get_if<GapEntry>(&*entry)) return fmt::format("the note of the gap at {}", to_text(gap->from));
  if (const auto* correction = std::get_if<CorrectionEntry>(&*entry)) return fmt::format("the case details as corrected at {}", to_text(correction->utc));
  return std::holds_alternative<OpenEntry>(*entry) ? "the case details" : "a document";
}

std::string list_of(const std::vector<std::string>& parts) {
  constexpr std::size_t kMostNamed = 10;
  std::string out;
  for (std::size_t i = 0; i < parts.size() && i < kMostNamed; ++i) out += (i > 0 ? ", " : "") + parts[i];
  return parts.size() > kMostNamed ? out + fmt::format(" and {} more", parts.size() - kMostNamed) : out;
}

struct LostFound {
  std::set<Digest> lost;
  std::uint64_t restored = 0;  // from the station's other directory
};
// Those of the entries [first, …) that are lost and that no `lost` entry names. Each gets its mark.
Result<LostFound> find_lost(FileSystem& files, const IngestSettings& settings, const HearingId& id, const SignedLog& log, std::uint64_t first) {
  const SpoolPaths paths = spool_of(settings.directory, id);
  LostFound out;
  const std::vector<Digest> objects = GREFFE_TRY(objects_of(log.entries, first));
  for (const Digest& digest : objects) {
    if (GREFFE_TRY(is_whole_object(files, paths, digest))) continue;
    if (!settings.second.empty() && restore_object(files, spool_of(settings.second, id), paths, digest)) {
      ++out.restored;
      continue;
    }
    GREFFE_TRY(note_lost(files, paths, digest));
    out.lost.insert(digest);
  }
  return out;
}

bool is_closed(const SignedLog& log) {
  const auto last = parse_hearing_entry(log.entries.back());
  return last && std::holds_alternative<CloseEntry>(*last);
}

Status say_in_log(FileSystem& files, const SpoolPaths& paths, const Enrolment& enrolment, const PrivateKey& key, const HearingId& id) {
  const auto spool = HearingSpool::open(files, paths, id, enrolment.archive, key);
  if (spool) return (*spool)->declare_lost();
  if (spool.error().code != Errc::unavailable) return spool.error();
  return fail(Errc::conflict, fmt::format("hearing {} is being recorded, and something of it can no longer be read; who records it logs that "
                                          "as lost, then the delivery goes on", id.text()));
}

// Nothing can be added to a finished log. What the archive does not hold yet is filed anew, with what is lost said in it.
Result<HearingId> say_elsewhere(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                                client::ArchiveClient& archive, const HearingId& id, const client::HeldCheckpoint& held) {
  Continuation wanted;
  wanted.first = held.size;
  wanted.held = held.note;
  const Status looked = look_at_main_log(files, settings.directory, enrolment, archive);
  const auto seen = looked ? newest_seen(files, settings.directory, enrolment) : std::nullopt;
  return continue_elsewhere(files, settings, enrolment, key, id, std::move(wanted), seen);
}

}  // namespace

// Under the hearing's lock. A crash before the entry: the mark is still there. What became readable again (a cable) is not lost.
Status HearingSpool::declare_lost() {
  const std::set<Digest> noted = GREFFE_TRY(noted_lost(files_, paths_));
  if (noted.empty()) return ok();
  LostEntry entry;
  entry.reason = "unreadable";
  for (const Digest& digest : noted) {
    if (!state_.lost().contains(digest) && !GREFFE_TRY(is_whole_object(files_, paths_, digest))) entry.objects.push_back(digest);
  }
  for (const Digest& digest : entry.objects) GREFFE_TRY(keep_aside(digest));
  if (!entry.objects.empty()) append(entry);
  GREFFE_TRY(commit());
  for (const Digest& digest : noted) GREFFE_TRY(files_.remove(join(paths_.lost(), digest.hex())));
  return ok();
}

Status HearingSpool::keep_aside(const Digest& digest) {
  if (!files_.stat(paths_.object(digest))) return ok();
  GREFFE_TRY(files_.rename(paths_.object(digest), join(paths_.quarantine(), digest.hex() + "-damaged")));
  GREFFE_TRY(files_.sync_directory(paths_.quarantine()));
  return files_.sync_directory(paths_.objects());
}

Result<bool> is_whole_object(FileSystem& files, const SpoolPaths& paths, const Digest& digest) {
  constexpr int kTries = 2;
  for (int i = 0; i < kTries; ++i) {
    const auto bytes = files.read_file(paths.object(digest), kMaxObjectBytes);
    if (bytes && sha256(*bytes) == digest) return true;
    if (!bytes && (bytes.error().code == Errc::unavailable || bytes.error().code == Errc::denied)) return bytes.error();
  }
  return false;
}

Status note_lost(FileSystem& files, const SpoolPaths& paths, const Digest& digest) {
  GREFFE_TRY(files.make_directories(paths.lost()));
  const Status noted = files.write_new(join(paths.lost(), digest.hex()), {});
  return noted || noted.error().code == Errc::already_exists ? ok() : noted;
}

Result<std::set<Digest>> noted_lost(FileSystem& files, const SpoolPaths& paths) {
  std::set<Digest> out;
  const auto names = files.list(paths.lost());
  if (!names && names.error().code == Errc::not_found) return out;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto digest = digest_from_hex(name);
    if (digest) out.insert(*digest);
  }
  return out;
}

Result<std::vector<Digest>> objects_of(const std::vector<std::string>& entries, std::uint64_t first) {
  std::vector<Digest> out;
  std::set<Digest> seen;
  std::set<Digest> lost;
  for (std::uint64_t i = first; i < entries.size(); ++i) {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(entries[i]));
    if (const auto* one = std::get_if<LostEntry>(&entry)) {
      lost.insert(one->objects.begin(), one->objects.end());
      continue;
    }
    const Json json = GREFFE_TRY(parse_canonical_json(entries[i]));
    for (const Digest& digest : named_objects(json)) {
      if (seen.insert(digest).second) out.push_back(digest);
    }
  }
  std::erase_if(out, [&](const Digest& digest) { return lost.contains(digest); });
  return out;
}

std::vector<std::string> parts_of(const std::vector<std::string>& entries, const std::set<Digest>& objects) {
  std::vector<std::string> out;
  if (objects.empty()) return out;
  for (const std::string& entry : entries) {
    std::string part = part_of(entry, objects);
    if (!part.empty()) out.push_back(std::move(part));
  }
  return out;
}

std::vector<std::string> lost_parts(const std::vector<std::string>& entries) {
  std::set<Digest> lost;
  for (const std::string& text : entries) {
    const auto entry = parse_hearing_entry(text);
    const auto* one = entry ? std::get_if<LostEntry>(&*entry) : nullptr;
    if (one != nullptr) lost.insert(one->objects.begin(), one->objects.end());
  }
  return parts_of(entries, lost);
}

Result<LostSettled> settle_lost(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                                client::ArchiveClient& archive, const HearingId& id) {
  LostSettled out;
  const SpoolPaths paths = spool_of(settings.directory, id);
  if (files.stat(paths.freed())) {
    return fail(Errc::denied, fmt::format("the archive asks for recordings of hearing {} that it had confirmed, and that were removed here for "
                                          "that reason; tell its operator: the second site may have them", id.text()));
  }
  const SignedLog log = GREFFE_TRY(read_signed_log(files, paths));
  const client::HeldCheckpoint held = GREFFE_TRY(archive.checkpoint({id}));
  if (held.size >= log.entries.size()) return out;
  const LostFound found = GREFFE_TRY(find_lost(files, settings, id, log, held.size));
  out.deliver_again = found.restored > 0;
  if (found.restored > 0) {
    out.words = fmt::format("hearing {}: {} objects that {} no longer gives back were read in {}; nothing of them is lost. Have the disk looked at",
                            id.text(), found.restored, paths.directory, settings.second);
  }
  if (found.lost.empty()) return out;
  const std::string what = list_of(parts_of(log.entries, found.lost));
  if (!is_closed(log)) {
    GREFFE_TRY(say_in_log(files, paths, enrolment, key, id));
    out.words = fmt::format("hearing {}: this station's disk no longer gives back {}. The log says so now, everything else is delivered. "
                            "Damaged bytes are in {}; have the disk looked at", id.text(), what, paths.quarantine());
  } else {
    const HearingId other = GREFFE_TRY(say_elsewhere(files, settings, enrolment, key, archive, id, held));
    out.words = fmt::format("hearing {}: this station's disk no longer gives back {}. The hearing was finished already, so what the archive does "
                            "not have of it is filed as hearing {}, which continues it and says what is lost. Have the disk looked at",
                            id.text(), what, other.text());
  }
  out.deliver_again = true;
  return out;
}

}  // namespace greffe::ingest
