#include "ingest/station.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"
#include "archive/format/promotion.h"
#include "ingest/main_log_seen.h"
#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64 * 1024;

// A directory belongs to one station of one archive: its spool's logs carry that name.
Status check_same(FileSystem& files, const std::string& directory, const Enrolment& wanted) {
  const auto known = load_enrolment(files, directory);
  if (!known && known.error().code == Errc::not_found) return ok();
  if (!known) return known.error();
  if (known->archive == wanted.archive && known->name == wanted.name) return ok();
  return fail(Errc::conflict, fmt::format("{} belongs to station {} of {}; choose another directory for station {} of {}", directory,
                                          known->name, known->archive, wanted.name, wanted.archive));
}

Result<client::EnrolmentCode> checked_code(FileSystem& files, const std::string& directory, std::string_view text) {
  client::EnrolmentCode code = GREFFE_TRY(client::parse_enrolment_code(text));
  if (code.role != "station") {
    return fail(Errc::invalid, fmt::format("this code enrols a {}, not a station; ask for one made by `station add`", code.role));
  }
  Enrolment wanted;
  wanted.archive = GREFFE_TRY(parse_epoch_origin(code.log.name)).archive;
  wanted.name = code.name;
  GREFFE_TRY(check_same(files, directory, wanted));
  return code;
}

Result<Enrolment> enrol(FileSystem& files, const std::string& directory, const client::EnrolmentCode& code, const PrivateKey& key) {
  Enrolment wanted;
  wanted.address = code.address;
  wanted.server_key = code.server_spki;
  wanted.log_vkey = code.log.text();
  wanted.cosigners = code.cosigners;
  client::ArchiveClient archive(wanted.endpoint(), key);
  const Json answer = GREFFE_TRY(archive.enrol(code, key.public_key()));
  wanted.archive = GREFFE_TRY(answer.string("archive"));
  wanted.name = GREFFE_TRY(answer.string("name"));
  wanted.court = GREFFE_TRY(answer.string("court"));
  wanted.room = GREFFE_TRY(answer.string("room"));
  wanted.epoch = GREFFE_TRY(answer.size("epoch"));
  wanted.nodes = archive.nodes();
  if (wanted.archive != GREFFE_TRY(parse_epoch_origin(code.log.name)).archive || wanted.name != code.name) {
    return fail(Errc::denied, "the archive answers with other names than its code; it is not the one that made the code");
  }
  GREFFE_TRY(look_at_main_log(files, directory, wanted, archive));
  GREFFE_TRY(save_enrolment(files, directory, wanted));
  (void)learn_successors(files, directory, wanted, archive);  // again with the first delivery, if not now
  return wanted;
}

}  // namespace

Result<Enrolment> parse_enrolment(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  Enrolment out;
  out.archive = GREFFE_TRY(json.string("archive"));
  out.address = GREFFE_TRY(json.string("address"));
  out.server_key = GREFFE_TRY(json.digest("server_key"));
  out.log_vkey = GREFFE_TRY(json.string("log_vkey"));
  out.name = GREFFE_TRY(json.string("name"));
  out.court = GREFFE_TRY(json.string("court"));
  out.room = GREFFE_TRY(json.string("room"));
  out.epoch = GREFFE_TRY(json.size("epoch"));
  const std::vector<std::string> cosigners = GREFFE_TRY(json.strings("cosigners"));
  for (const std::string& text_of_key : cosigners) out.cosigners.push_back(GREFFE_TRY(parse_verifier_key(text_of_key)));
  if (json.has("nodes")) out.nodes = GREFFE_TRY(json.strings("nodes"));
  if (json.has("since")) out.since = GREFFE_TRY(json.utc("since"));
  const bool good_nodes = out.nodes.size() <= client::kNodesMax && std::all_of(out.nodes.begin(), out.nodes.end(), [](const std::string& n) { return is_https_origin(n); });
  if (!good_nodes) return fail(Errc::invalid, "\"nodes\" must be at most 8 addresses like https://archive.court.example:8444");
  if (!is_valid_archive_name(out.archive)) return fail(Errc::invalid, "\"archive\" is not the name of an archive");
  for (const std::string* name : {&out.name, &out.court, &out.room}) {
    if (!is_valid_name(*name)) return fail(Errc::invalid, "\"name\", \"court\" and \"room\" must be of a-z, 0-9 and '-', at most 32");
  }
  return out;
}

std::string write_enrolment(const Enrolment& enrolment) {
  Json::Array cosigners;
  for (const VerifierKey& key : enrolment.cosigners) cosigners.emplace_back(key.text());
  Json json;
  json.set("address", enrolment.address).set("archive", enrolment.archive).set("cosigners", std::move(cosigners));
  json.set("court", enrolment.court).set("epoch", enrolment.epoch).set("log_vkey", enrolment.log_vkey);
  json.set("name", enrolment.name).set("room", enrolment.room).set("server_key", enrolment.server_key);
  if (!enrolment.nodes.empty()) json.set("nodes", Json::Array(enrolment.nodes.begin(), enrolment.nodes.end()));
  if (enrolment.since) json.set("since", *enrolment.since);
  return write_json(json) + "\n";
}

std::uint64_t Enrolment::keys_epoch() const {
  const auto log = parse_verifier_key(log_vkey);
  const auto of = log ? parse_epoch_origin(log->name) : Result<EpochName>(log.error());
  return of && of->archive == archive ? of->epoch : 1;
}

Result<VerifierKey> Enrolment::holder() const {
  const std::string wanted = epoch_origin({archive, keys_epoch()}) + "/holder";
  for (const VerifierKey& key : cosigners) {
    if (key.name == wanted && key.type == KeyType::cosignature_v1) return key;
  }
  return fail(Errc::not_found, fmt::format("the enrolment names no key with which {} signs receipts; enrol again", archive));
}

std::string delivery_words(const Enrolment& enrolment) {
  if (enrolment.address.empty()) return "not enrolled yet: nothing is delivered";
  const std::string since = enrolment.since ? ", since " + to_text(*enrolment.since) : std::string();
  return fmt::format("delivers to {}, epoch {}{}", enrolment.address, enrolment.keys_epoch(), since);
}

std::string station_key_path(const std::string& directory) { return join(directory, "station.key"); }
std::string enrolment_path(const std::string& directory) { return join(directory, "enrolment.json"); }
std::string spool_path(const std::string& directory) { return join(directory, "spool"); }

Result<PrivateKey> load_station_key(FileSystem& files, const std::string& directory, bool make) {
  const std::string path = station_key_path(directory);
  const auto bytes = files.read_file(path, kMaxFileBytes);
  if (bytes) {
    auto key = PrivateKey::from_pem(as_text(*bytes));
    if (!key) return key.error().within(path);
    return key;
  }
  if (bytes.error().code != Errc::not_found) return bytes.error();
  if (!make) return fail(Errc::not_found, fmt::format("there is no station in {}; enrol it first: greffe-ingest enrol", directory));
  GREFFE_TRY(files.make_directories(directory));
  PrivateKey key = PrivateKey::generate();
  GREFFE_TRY(files.replace(path, as_bytes(key.to_pem()), 0600));
  return key;
}

Result<Enrolment> load_enrolment(FileSystem& files, const std::string& directory) {
  const std::string path = enrolment_path(directory);
  const auto bytes = files.read_file(path, kMaxFileBytes);
  if (!bytes && bytes.error().code == Errc::not_found) {
    return fail(Errc::not_found, fmt::format("there is no station in {}; enrol it first: greffe-ingest enrol", directory));
  }
  if (!bytes) return bytes.error();
  auto out = parse_enrolment(as_text(*bytes));
  if (!out) return out.error().within(path);
  return out;
}

Status save_enrolment(FileSystem& files, const std::string& directory, const Enrolment& enrolment) {
  return files.replace(enrolment_path(directory), as_bytes(write_enrolment(enrolment)), 0640);
}

Result<Enrolment> enrol_station(FileSystem& files, const std::string& directory, std::string_view code_text) {
  const client::EnrolmentCode code = GREFFE_TRY(checked_code(files, directory, code_text));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, directory, true));
  return enrol(files, directory, code, key);
}

Result<Enrolment> enrol_key(FileSystem& files, const std::string& directory, std::string_view code_text, const PrivateKey& key) {
  const client::EnrolmentCode code = GREFFE_TRY(checked_code(files, directory, code_text));
  return enrol(files, directory, code, key);
}

Result<Enrolment> prepare_station(FileSystem& files, const std::string& directory, const Enrolment& wanted) {
  const Enrolment checked = GREFFE_TRY(parse_enrolment(write_enrolment(wanted)));
  GREFFE_TRY(check_same(files, directory, checked));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, directory, true));
  const auto known = load_enrolment(files, directory);
  if (known) return *known;
  GREFFE_TRY(save_enrolment(files, directory, checked));
  return checked;
}

}  // namespace greffe::ingest
