#include "ingest/succession.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::ingest {
namespace {

constexpr unsigned kStallTimeoutS = 5;

// What was shown once of a log that only grows is shown for ever.
Status check_nothing_left_out(const Successors& before, const Successors& now, const Enrolment& enrolment) {
  for (const ProvedEntry& one : before.entries) {
    if (one.epoch != enrolment.keys_epoch()) continue;  // where that epoch is pinned now, it may be without this
    const bool there = std::any_of(now.entries.begin(), now.entries.end(), [&](const ProvedEntry& other) {
      return other.epoch == one.epoch && other.index == one.index && other.entry == one.entry;
    });
    if (there) continue;
    return fail(Errc::conflict, fmt::format("{} is silent about entry {} of its main log, which is about an officer and which it had shown before",
                                            enrolment.archive, one.index));
  }
  return ok();
}

// With a newer checkpoint alone everything is as it was.
bool says_the_same(const Successors& a, const Successors& b) {
  const auto same = [](const ProvedEntry& x, const ProvedEntry& y) { return x.epoch == y.epoch && x.index == y.index && x.entry == y.entry; };
  return a.sites == b.sites && std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), same);
}

Error does_not_count(std::string_view from, const Error& why) {
  return fail(why.code, fmt::format("the certificate of a promotion that {} shows does not count: {}. This station stays where it is; tell the "
                                    "court's IT", from, why.message));
}

class Searching {
 public:
  Searching(FileSystem& files, Clock& clock, const std::string& directory, const Enrolment& enrolment, const PrivateKey& key, std::stop_token stop)
      : files_(files), clock_(clock), directory_(directory), enrolment_(enrolment), key_(key), stop_(std::move(stop)) {}

  Result<Search> run() {
    const auto kept = load_enrolment(files_, directory_);
    if (kept && kept->archive == enrolment_.archive && kept->keys_epoch() > enrolment_.keys_epoch()) {
      out_.found = *kept;
      return std::move(out_);
    }
    GREFFE_TRY(ask_archive());
    const auto known = load_successors(files_, directory_);
    for (const SuccessorSite& site : known ? known->sites : std::vector<SuccessorSite>()) {
      if (out_.found || stop_.stop_requested()) break;
      client::ArchiveClient there({site.address, site.server_key, 1, {}, kStallTimeoutS}, key_, stop_);
      GREFFE_TRY(take(there, site.address));
    }
    return std::move(out_);
  }

 private:
  Status ask_archive() {
    client::ArchiveClient archive({enrolment_.address, enrolment_.server_key, enrolment_.keys_epoch(), enrolment_.nodes, kStallTimeoutS}, key_, stop_);
    const Status learnt = learn_successors(files_, directory_, enrolment_, archive);
    if (!learnt && learnt.error().code == Errc::unavailable) return ok();  // nor would it answer the other question
    // What was the archive may hold copies of it now, and be in an epoch of its own: who signed is what counts.
    client::ArchiveClient there({enrolment_.address, enrolment_.server_key, 1, enrolment_.nodes, kStallTimeoutS}, key_, stop_);
    return take(there, enrolment_.address);
  }

  Status take(client::ArchiveClient& from, const std::string& address) {
    const auto certificate = from.certificate(enrolment_.archive);
    if (!certificate) return ok();  // it does not answer, or knows of none
    const auto known = load_successors(files_, directory_);
    auto after = enrolment_after(enrolment_, known ? *known : Successors(), *certificate, clock_.utc_now());
    if (!after && after.error().code == Errc::denied && known) {
      auto step_by_step = catch_up(*known, *certificate);
      if (step_by_step || step_by_step.error().code != Errc::unavailable) after = std::move(step_by_step);
    }
    if (!after) {
      out_.refused.push_back(does_not_count(address, after.error()).message);
    } else if (*after) {
      GREFFE_TRY(store(**after));
      out_.found = *std::move(*after);
    }
    return ok();
  }

  // Of officers whom this station does not know, because it slept through a promotion: the site that they lead to is asked for what lies between. It
  // is believed in nothing that is not proved. unavailable: there is nothing between, or nobody answers there.
  Result<std::optional<Enrolment>> catch_up(const Successors& known, const std::string& certificate) {
    const PromotionEntry newest = GREFFE_TRY(parse_promotion(certificate));
    const std::uint64_t epoch = enrolment_.keys_epoch();
    if (newest.name.archive != enrolment_.archive || newest.name.epoch < epoch + 2) return fail(Errc::unavailable, "nothing lies between");
    client::ArchiveClient there({newest.machine_url, client::spki_digest(newest.machine_key), 1, {}, kStallTimeoutS}, key_, stop_);
    const auto told = there.successors();
    if (!told) return fail(Errc::unavailable, told.error().message);
    const Successors now = GREFFE_TRY(known_after(known, epoch, *told, newest));
    return enrolment_after(enrolment_, now, certificate, clock_.utc_now());
  }

  // A crash before the last step: the station is where it was, and asks again.
  Status store(const Enrolment& after) {
    const std::string aside = join(directory_, fmt::format("enrolment-epoch-{}.json", enrolment_.keys_epoch()));
    GREFFE_TRY(files_.replace(aside, as_bytes(write_enrolment(enrolment_)), 0640));
    return save_enrolment(files_, directory_, after);
  }

  FileSystem& files_;
  Clock& clock_;
  const std::string& directory_;
  const Enrolment& enrolment_;
  const PrivateKey& key_;
  const std::stop_token stop_;
  Search out_;
};

}  // namespace

std::string successors_path(const std::string& directory) { return join(directory, "successors.json"); }

Result<Successors> load_successors(FileSystem& files, const std::string& directory) {
  const std::string path = successors_path(directory);
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kSuccessorsBytesMax));
  auto out = parse_successors(as_text(bytes));
  if (!out) return out.error().within(path);
  return out;
}

Status learn_successors(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive) {
  const auto told = archive.successors();
  if (!told && told.error().code == Errc::not_found) return ok();
  if (!told) return told.error();
  const VerifierKey log = GREFFE_TRY(parse_verifier_key(enrolment.log_vkey));
  const Status proved = check_successors(*told, log);
  if (!proved) return proved.error().within("what " + enrolment.archive + " says of its officers is not proved");
  const auto before = load_successors(files, directory);
  if (before) GREFFE_TRY(check_nothing_left_out(*before, *told, enrolment));
  if (before && says_the_same(*before, *told)) return ok();
  return files.replace(successors_path(directory), as_bytes(write_successors(*told)), 0640);
}

Result<std::optional<Enrolment>> enrolment_after(const Enrolment& enrolment, const Successors& known, std::string_view certificate, UtcTime now) {
  const PromotionEntry promotion = GREFFE_TRY(parse_promotion(certificate));
  if (promotion.name.archive != enrolment.archive) return fail(Errc::denied, "it is of the archive " + promotion.name.archive);
  const std::uint64_t epoch = enrolment.keys_epoch();
  const std::string log = promotion.log_verifier().text();
  if (promotion.name.epoch < epoch || log == enrolment.log_vkey) return std::optional<Enrolment>();
  GREFFE_TRY(check_promotion(known, promotion));
  if (promotion.name.epoch == epoch) {
    return fail(Errc::conflict, fmt::format("officers have signed that epoch {} begins at {}, and this station has followed them to {}", epoch,
                                            promotion.machine_url, enrolment.address));
  }
  if (promotion.holder.name != epoch_origin(promotion.name) + "/holder") return fail(Errc::denied, "it names no key of its own for receipts");
  Enrolment out = enrolment;
  out.address = promotion.machine_url;
  out.server_key = client::spki_digest(promotion.machine_key);
  out.log_vkey = log;
  out.cosigners.insert(out.cosigners.begin(), promotion.holder);
  out.epoch = promotion.name.epoch;
  out.nodes.clear();
  out.since = now;
  return std::optional(std::move(out));
}

Result<Search> find_successor(FileSystem& files, Clock& clock, const std::string& directory, const Enrolment& enrolment, const PrivateKey& key,
                              std::stop_token stop) {
  return Searching(files, clock, directory, enrolment, key, std::move(stop)).run();
}

std::string succession_words(const Enrolment& followed) {
  return fmt::format("{} goes on at {} in epoch {}: two of its officers have signed that. This station delivers there since {}, and offers again "
                     "what it still has", followed.archive, followed.address, followed.epoch, to_text(followed.since.value_or(UtcTime{})));
}

}  // namespace greffe::ingest
