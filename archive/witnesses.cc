#include "archive/witnesses.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "archive/base/back_off.h"
#include "archive/base/progress.h"
#include "archive/format/canonical_json.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxPlaceBytes = 256 * 1024;
constexpr std::size_t kMaxAuthoritiesBytes = 100 * 1024;
constexpr std::size_t kMaxUrlBytes = 300;
constexpr unsigned kStallTimeoutS = 10;
constexpr int kTurnsMax = 3;                    // of naming the size from which a witness wants the proof
constexpr std::int64_t kLookEveryMs = 1000;     // whether the log has grown
constexpr std::int64_t kStillThereMs = 60'000;  // a log that does not grow is shown again
constexpr std::int64_t kGraceMs = 15'000;       // after a start nobody had the time to agree
constexpr std::int64_t kNobodyMs = 60'000;      // so long a start waits for a witness that is not heard of
constexpr std::int64_t kWhileHeldMs = 5000;     // between two tries while the archive waits
constexpr std::int64_t kByHandLateMs = 40LL * 24 * 3'600'000;  // who is visited once a month
constexpr std::string_view kEnding = ".json";

class HttpsChannel : public WitnessChannel {
 public:
  HttpsChannel(const WitnessPlace& place, const std::stop_token& stop)
      : submission_(settings_of(place, place.url, stop)), monitoring_(settings_of(place, place.monitoring.empty() ? place.url : place.monitoring, stop)) {}

  Result<HttpResponse> add_checkpoint(const std::string& body) override {
    HttpRequest request;
    request.method = "POST";
    request.path = "/add-checkpoint";
    request.body = body;
    request.max_response_bytes = kMaxNoteBytes;
    return submission_.send(request);
  }
  Result<HttpResponse> newest(const Digest& origin) override {
    HttpRequest request;
    request.path = "/" + origin.hex() + "/checkpoint";
    request.max_response_bytes = kMaxNoteBytes;
    return monitoring_.send(request);
  }

 private:
  static HttpClientSettings settings_of(const WitnessPlace& place, const std::string& prefix, const std::stop_token& stop) {
    HttpClientSettings out;
    out.base_url = prefix;
    if (place.server_key) out.server_spki_sha256 = Bytes(place.server_key->bytes.begin(), place.server_key->bytes.end());
    out.ca_pem = place.authorities_pem;
    out.stall_timeout_s = kStallTimeoutS;
    out.stop = stop;
    return out;
  }

  HttpClient submission_;
  HttpClient monitoring_;
};

// "https://", a host, a path: nothing that an address could hide.
Status check_prefix(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const std::string_view rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : std::string_view();
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(".:-_/[]~").find(c) != std::string_view::npos;
  });
  if (!rest.empty() && rest.front() != '/' && plain && url.size() <= kMaxUrlBytes) return ok();
  return fail(Errc::invalid, "the address of a witness looks like https://witness.court.example:8445/v1/witness, without a password or a query");
}

Status check_place(const WitnessPlace& place) {
  if (place.key.type != KeyType::cosignature_v1) return fail(Errc::invalid, "this is not the key of a witness (type 04)");
  if (place.authorities_pem.size() > kMaxAuthoritiesBytes) return fail(Errc::invalid, "these are more authorities than anybody needs: 100 KiB at most");
  if (place.url.empty()) {
    const bool nothing_else = place.monitoring.empty() && place.authorities_pem.empty() && !place.server_key;
    return nothing_else ? ok() : Status(fail(Errc::invalid, "a witness that is reached by hand has no address to read at, and no server"));
  }
  if (place.server_key && !place.authorities_pem.empty()) return fail(Errc::invalid, "say either the key of its server or its authorities");
  GREFFE_TRY(check_prefix(place.url));
  return place.monitoring.empty() ? ok() : check_prefix(place.monitoring);
}

std::string place_text(const WitnessPlace& place) {
  Json json;
  json.set("v", 1).set("vkey", place.key.text());
  if (!place.url.empty()) json.set("url", place.url);
  if (!place.monitoring.empty()) json.set("monitoring", place.monitoring);
  if (!place.authorities_pem.empty()) json.set("authorities", place.authorities_pem);
  if (place.server_key) json.set("server_key", *place.server_key);
  return write_json(json) + "\n";
}

Result<WitnessPlace> parse_place(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  WitnessPlace out;
  const std::string vkey = GREFFE_TRY(json.string("vkey"));
  out.key = GREFFE_TRY(parse_verifier_key(vkey));
  if (json.has("url")) out.url = GREFFE_TRY(json.string("url"));
  if (json.has("monitoring")) out.monitoring = GREFFE_TRY(json.string("monitoring"));
  if (json.has("authorities")) out.authorities_pem = GREFFE_TRY(json.string("authorities"));
  if (json.has("server_key")) out.server_key = GREFFE_TRY(json.digest("server_key"));
  GREFFE_TRY(check_place(out));
  return out;
}

// In words what a witness that did not cosign answered.
std::string words_of(const HttpResponse& answer) {
  switch (answer.status) {
    case 400: return "it finds the request malformed (400)";
    case 403: return "it knows this log under another key (403): its operator must name the present one";
    case 404: return "it does not know this log (404): its operator must add it";
    case 409: return "it has cosigned another tree (409)";
    case 422: return "it does not find that the log continues what it has cosigned (422)";
    default: return fmt::format("it answers {}", answer.status);
  }
}

void pause(const std::stop_token& stop, std::int64_t length_ms) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, stop, std::chrono::milliseconds(length_ms), [] { return false; });
}

}  // namespace

std::unique_ptr<WitnessChannel> open_https_channel(const WitnessPlace& place, std::stop_token stop) {
  return std::make_unique<HttpsChannel>(place, stop);
}

struct Witnesses::Kept {
  WitnessPlace place;
  std::unique_ptr<WitnessChannel> channel;  // none: by hand
  std::stop_source stop;
  // Guarded by the mutex of Witnesses.
  std::int64_t agreed_ms = 0;      // monotonic: when it agreed last, from before the start too
  std::uint64_t agreed_size = 0;   // to what, since the start; 0: it has not
  bool is_settled = false;         // since the start it agreed, or showed only what an operator has accepted
  bool is_suspect = false;         // it says that it holds something else
  std::optional<std::uint64_t> claims;
  std::string problem;
  std::jthread thread;  // last
};

Witnesses::Witnesses(FileSystem& files, Clock& clock, Log& log, MainLog& main_log, store::HeadStore& heads, Settings settings, OpenChannel open)
    : files_(files), clock_(clock), log_(log), main_log_(main_log), heads_(heads), settings_(std::move(settings)), open_(std::move(open)),
      directory_(join(settings_.state_directory, "witnesses")), began_ms_(clock.monotonic_ms()) {}

Witnesses::~Witnesses() { stop(); }

std::string Witnesses::path_of(const VerifierKey& key) const { return join(directory_, fmt::format("{:08x}{}", key.id(), kEnding)); }

std::shared_ptr<Witnesses::Kept> Witnesses::named(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : found->second;
}

// ---- which there are ----

std::vector<std::string> Witnesses::load() {
  const std::lock_guard changing(changing_);
  const auto names = files_.list(directory_);
  if (!names && names.error().code == Errc::not_found) return {};
  if (!names) return {names.error().message};
  std::vector<std::string> problems;
  for (const std::string& file : *names) {
    if (!file.ends_with(kEnding)) continue;  // one that was being written when the power went
    const std::string path = join(directory_, file);
    const auto bytes = files_.read_file(path, kMaxPlaceBytes);
    const auto place = bytes ? parse_place(as_text(*bytes)) : Result<WitnessPlace>(bytes.error());
    if (place) {
      keep(*place);
    } else {
      problems.push_back(path + " cannot be read, so that this witness is not asked; add it again: " + place.error().message);
    }
  }
  const std::lock_guard lock(mutex_);
  const bool any = std::any_of(kept_.begin(), kept_.end(), [](const auto& one) { return one.second->channel != nullptr; });
  if (!any || settings_.accept_head) return problems;
  is_holding_ = true;
  main_log_.hold("after a start it waits for a witness to say what it has cosigned of this log, for a minute at most");
  return problems;
}

void Witnesses::keep(const WitnessPlace& place) {
  auto kept = std::make_shared<Kept>();
  kept->place = place;
  if (!place.url.empty()) kept->channel = open_(place, kept->stop.get_token());
  const auto newest = newest_cosigned(heads_, main_log_.place().path, place.key);
  const auto time = newest ? verify_cosignature(newest->note, place.key) : Result<UtcTime>(newest.error());
  const std::int64_t ago_ms = time ? std::max<std::int64_t>(0, clock_.utc_now().ms - time->ms) : 0;
  kept->agreed_ms = clock_.monotonic_ms() - ago_ms;
  std::shared_ptr<Kept> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(kept_[place.key.name], kept);
  }
  if (before) end(*before);
  if (is_running_) begin(*kept);
}

Status Witnesses::add(const WitnessPlace& place) {
  GREFFE_TRY(check_place(place));
  const std::lock_guard changing(changing_);
  if (const auto there = named(place.key.name)) {
    if (there->place.key != place.key) return fail(Errc::already_exists, "there is a witness " + place.key.name + " with another key; remove it first");
  } else {
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= kMaxWitnesses) return fail(Errc::no_space, fmt::format("this archive has {} witnesses already; remove one", kMaxWitnesses));
  }
  const auto known = GREFFE_TRY(main_log_.catalogue().key("witness", place.key.key));
  if (!known || known->revoked_since) {
    KeyEntry entry;
    entry.action = "added";
    entry.role = "witness";
    entry.name = place.key.name;
    entry.key = place.key.key;
    entry.cosigner = place.key.text();
    entry.utc = clock_.utc_now();
    entry.since = entry.utc;
    GREFFE_TRY(main_log_.append(entry));
  }
  // A crash before the next step: the log names a witness that nobody asks, until the operator adds it again.
  GREFFE_TRY(files_.make_directories(directory_));
  GREFFE_TRY(files_.replace(path_of(place.key), as_bytes(place_text(place)), 0600));
  keep(place);
  return ok();
}

Status Witnesses::remove(const std::string& name) {
  const std::lock_guard changing(changing_);
  const std::shared_ptr<Kept> there = named(name);
  if (!there) return fail(Errc::not_found, "there is no witness " + name + "; see greffe-archive witness list");
  const Status removed = files_.remove(path_of(there->place.key));
  if (!removed && removed.error().code != Errc::not_found) return removed;
  GREFFE_TRY(files_.sync_directory(directory_));
  {
    const std::lock_guard lock(mutex_);
    kept_.erase(name);
    told_.erase(name);
  }
  end(*there);
  settle();
  return ok();
}

// ---- threads ----

void Witnesses::begin(Kept& kept) {
  if (!kept.channel) return;
  kept.thread = std::jthread([this, &kept, name = fmt::format("gr-witness.{}", ++begun_)] {
    name_thread(name.c_str());
    run(kept);
  });
}

void Witnesses::end(Kept& kept) {
  kept.stop.request_stop();
  if (kept.thread.joinable()) kept.thread.join();
}

void Witnesses::start() {
  const std::lock_guard changing(changing_);
  is_running_ = true;
  std::vector<std::shared_ptr<Kept>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, kept] : kept_) all.push_back(kept);
  }
  for (const std::shared_ptr<Kept>& kept : all) begin(*kept);
  watcher_ = std::jthread([this](const std::stop_token& stop) {
    name_thread("gr-witnesses");
    while (!stop.stop_requested()) {
      look();
      pause(stop, kLookEveryMs);
    }
  });
}

void Witnesses::stop() {
  const std::lock_guard changing(changing_);
  is_running_ = false;
  std::vector<std::shared_ptr<Kept>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, kept] : kept_) all.push_back(kept);
  }
  for (const std::shared_ptr<Kept>& kept : all) kept->stop.request_stop();
  for (const std::shared_ptr<Kept>& kept : all) end(*kept);
  if (!watcher_.joinable()) return;
  watcher_.request_stop();
  watcher_.join();
}

void Witnesses::run(Kept& kept) {
  const std::stop_token stop = kept.stop.get_token();
  BackOff back_off;
  while (!stop.stop_requested()) {
    std::int64_t pause_ms = kLookEveryMs;
    if (is_due(kept)) {
      ask(kept.place.key.name);
      const std::lock_guard lock(mutex_);
      if (kept.problem.empty()) {
        back_off.succeeded();
      } else {
        pause_ms = back_off.next_ms(is_holding_ ? kWhileHeldMs : kLongestPauseMs);
      }
    }
    pause(stop, pause_ms);
  }
}

bool Witnesses::is_due(const Kept& kept) const {
  const std::uint64_t head = main_log_.head().checkpoint.size;
  const std::lock_guard lock(mutex_);
  const std::int64_t still_there_ms = std::min(kStillThereMs, settings_.alarm_after_ms / 3);
  return kept.agreed_size != head || !kept.problem.empty() || clock_.monotonic_ms() - kept.agreed_ms >= still_there_ms;
}

// ---- asking ----

// What it cosigned last, as far as it is known here. 0 also where that is of a log from before an operator accepted an older head.
std::uint64_t Witnesses::known_size(const VerifierKey& key, std::uint64_t head) const {
  const auto newest = newest_cosigned(heads_, main_log_.place().path, key);
  return newest && newest->checkpoint.size <= head ? newest->checkpoint.size : 0;
}

Result<AddCheckpoint> Witnesses::request_from(std::uint64_t old_size, const SignedCheckpoint& head) const {
  AddCheckpoint out;
  out.old_size = old_size;
  if (old_size > head.checkpoint.size) return fail(Errc::invalid, fmt::format("this log has {} entries, not {}", head.checkpoint.size, old_size));
  if (old_size > 0) out.proof = GREFFE_TRY(main_log_.reader().consistency(old_size, head.checkpoint.size));
  out.checkpoint = head;
  return out;
}

void Witnesses::ask(const std::string& name) {
  const std::shared_ptr<Kept> kept = named(name);
  if (!kept || !kept->channel) return;
  const auto agreed = cosign(*kept);
  if (!agreed && agreed.error().code == Errc::cancelled) return;
  {
    const std::lock_guard lock(mutex_);
    kept->problem = agreed ? std::string() : agreed.error().message;
    if (agreed) {
      kept->agreed_ms = clock_.monotonic_ms();
      kept->agreed_size = *agreed;
      kept->is_settled = true;
      kept->is_suspect = false;
      kept->claims.reset();
    }
  }
  settle();
}

// The size of the newest checkpoint, which it has cosigned, and that is kept.
Result<std::uint64_t> Witnesses::cosign(Kept& kept) {
  const VerifierKey& key = kept.place.key;
  std::uint64_t old_size = known_size(key, main_log_.head().checkpoint.size);
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    const SignedCheckpoint head = main_log_.head();
    const AddCheckpoint request = GREFFE_TRY(request_from(old_size, head));
    const HttpResponse answer = GREFFE_TRY(kept.channel->add_checkpoint(write_add_checkpoint(request)));
    if (answer.status == 200) {
      const SignedCheckpoint cosigned = GREFFE_TRY(read_cosignatures(head, answer.body, key));
      GREFFE_TRY(main_log_.add_cosignature(cosigned, key));
      return head.checkpoint.size;
    }
    if (answer.status == 422) return suspect(kept, std::nullopt, words_of(answer));
    if (answer.status != 409) return fail(Errc::denied, words_of(answer));
    const auto size = parse_witness_size(answer.body);
    if (!size) return fail(Errc::denied, words_of(answer) + " and does not say of which size");
    // The log may have grown meanwhile: what it names is compared with the newest.
    const bool has_another = *size != old_size && *size <= main_log_.head().checkpoint.size;
    if (!has_another) return suspect(kept, *size, words_of(answer));
    old_size = *size;
  }
  return fail(Errc::denied, "it names another size each time it is asked");
}

// It says that it has cosigned what this log does not continue. Its word proves nothing; a checkpoint with this archive's own signature does.
Error Witnesses::suspect(Kept& kept, std::optional<std::uint64_t> claimed, const std::string& answered) {
  const auto shown = kept.channel->newest(sha256(as_bytes(main_log_.place().origin())));
  const auto note = shown && shown->status == 200 ? parse_signed_checkpoint(shown->body) : Result<SignedCheckpoint>(fail(Errc::not_found, ""));
  const Status compared = note ? main_log_.compare(*note, kept.place.key.name) : Status(note.error());
  const std::uint64_t size = main_log_.head().checkpoint.size;
  const std::lock_guard lock(mutex_);
  kept.is_suspect = true;
  kept.claims.reset();
  if (!compared && compared.error().code == Errc::already_exists) kept.is_settled = true;
  if (!compared && (compared.error().code == Errc::conflict || compared.error().code == Errc::already_exists)) return compared.error();
  if (claimed && *claimed > size) kept.claims = claimed;
  const std::string claim = kept.claims ? fmt::format(", and claims {} entries where this log has {}", *claimed, size) : std::string();
  return fail(Errc::denied, answered + claim + "; it shows no checkpoint with this archive's signature that proves it");
}

// ---- by hand ----

Result<std::string> Witnesses::request(const std::string& name, std::optional<std::uint64_t> old_size) const {
  const std::shared_ptr<Kept> kept = named(name);
  if (!kept) return fail(Errc::not_found, "there is no witness " + name + "; see greffe-archive witness list");
  const SignedCheckpoint head = main_log_.head();
  const AddCheckpoint asked = GREFFE_TRY(request_from(old_size ? *old_size : known_size(kept->place.key, head.checkpoint.size), head));
  return write_add_checkpoint(asked);
}

Result<SignedCheckpoint> Witnesses::take(std::string_view text) {
  SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(text));
  const std::vector<VerifierKey> keys = GREFFE_TRY(cosigning_keys(main_log_.catalogue(), {"witness"}));
  for (const VerifierKey& key : keys) {
    const auto time = verify_cosignature(note.note, key);
    if (!time && time.error().code == Errc::not_found) continue;
    if (!time) return fail(Errc::denied, time.error().message);
    GREFFE_TRY(main_log_.compare(note, key.name));
    GREFFE_TRY(main_log_.add_cosignature(note, key));
    if (const auto kept = named(key.name)) {
      const std::lock_guard lock(mutex_);
      kept->agreed_ms = clock_.monotonic_ms();
    }
    return note;
  }
  return fail(Errc::denied, "no witness of this archive has signed it; name the witness with greffe-archive witness add");
}

// ---- how they are ----

bool Witnesses::is_alarm(const Kept& kept, std::int64_t now_ms) const {
  const std::int64_t silent_ms = now_ms - kept.agreed_ms;
  if (!kept.channel) return silent_ms >= kByHandLateMs;
  const bool had_time = now_ms - began_ms_ >= std::min(kGraceMs, settings_.alarm_after_ms);
  return kept.is_suspect || (had_time && silent_ms >= settings_.alarm_after_ms);
}

std::vector<WitnessFacts> Witnesses::facts() const {
  std::vector<std::pair<VerifierKey, WitnessFacts>> all;
  {
    const std::int64_t now_ms = clock_.monotonic_ms();
    const std::lock_guard lock(mutex_);
    for (const auto& [name, kept] : kept_) {
      WitnessFacts one;
      one.name = name;
      one.url = kept->place.url;
      one.silent_ms = std::max<std::int64_t>(0, now_ms - kept->agreed_ms);
      one.claims = kept->claims;
      one.problem = kept->problem;
      one.alarm = is_alarm(*kept, now_ms);
      all.emplace_back(kept->place.key, std::move(one));
    }
  }
  std::vector<WitnessFacts> out;
  for (auto& [key, one] : all) {
    if (const auto newest = newest_cosigned(heads_, main_log_.place().path, key)) {
      one.size = newest->checkpoint.size;
      if (const auto time = verify_cosignature(newest->note, key)) one.cosigned = *time;
    }
    out.push_back(std::move(one));
  }
  return out;
}

void Witnesses::look() {
  settle();
  for (const WitnessFacts& one : facts()) {
    const std::lock_guard lock(mutex_);
    if (!kept_.contains(one.name)) continue;  // removed meanwhile
    if (one.alarm && told_.insert(one.name).second) {
      log_.error(fmt::format("the witness {} has not cosigned this log for {}{}", one.name, human_duration(one.silent_ms / 1000),
                             one.problem.empty() ? std::string() : ": " + one.problem));
    } else if (!one.alarm && told_.erase(one.name) > 0) {
      log_.info("the witness " + one.name + " cosigns this log again");
    }
  }
}

// Whether the start has waited long enough. One that agrees is enough: it would not if this log were behind what that one has seen.
void Witnesses::settle() {
  const std::int64_t waited_ms = clock_.monotonic_ms() - began_ms_;
  const std::lock_guard lock(mutex_);
  if (!is_holding_) return;
  bool any = false;
  bool settled = false;
  std::string against;
  for (const auto& [name, kept] : kept_) {
    any = any || kept->channel;
    settled = settled || kept->is_settled;
    if (kept->is_suspect) against = name + ": " + kept->problem;
  }
  const std::int64_t longest_ms = against.empty() ? std::min(settings_.hold_ms, kNobodyMs) : settings_.hold_ms;
  if (any && !settled && waited_ms < longest_ms) {
    if (against.empty()) return;
    main_log_.hold(fmt::format("a witness contradicts it, without a proof; for {} after the start it waits for another one to agree. {}",
                               human_duration(longest_ms / 1000), against));
    return;
  }
  is_holding_ = false;
  main_log_.release();
  if (!any || settled || main_log_.refusal()) return;  // with a proof it has stopped for another reason
  log_.error(against.empty() ? "no witness was heard of since the start; the archive goes on without. Look at the line, and whether they are still there"
                             : "the archive goes on although a witness contradicts it, because nothing proves it. Find out which of the two is right: " + against);
}

}  // namespace greffe::archive
