// The witnesses of this archive's main log: each is asked to cosign the newest checkpoint (C2SP tlog-witness), over HTTPS by a thread of its
// own, or with files that somebody carries. A witness that has cosigned what this log does not continue, and shows it with this archive's own
// signature, ends the signing (MainLog::compare). One that only claims so, or is not heard of, raises an alarm and holds the archive up for
// a bounded time after a start. Thread-safe. See docs/formats/witness.md and docs/FAILURE_MODEL.md.
#ifndef GREFFE_ARCHIVE_WITNESSES_H
#define GREFFE_ARCHIVE_WITNESSES_H

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "archive/base/http_client.h"
#include "archive/format/witness_messages.h"
#include "archive/main_log.h"

namespace greffe::archive {

constexpr std::size_t kMaxWitnesses = 8;

struct WitnessPlace {
  VerifierKey key;                   // type 04
  std::string url;                   // submission prefix, "https://…"; empty: it is reached by hand only
  std::string monitoring;            // monitoring prefix; empty: the same
  std::string authorities_pem;       // who may vouch for its server; empty: the system's authorities
  std::optional<Digest> server_key;  // SHA-256 of its server's SubjectPublicKeyInfo: then nobody need vouch for it
};

struct WitnessFacts {
  std::string name;
  std::string url;                      // empty: by hand
  std::uint64_t size = 0;               // that it cosigned last, as far as this archive has it; 0: none
  std::optional<UtcTime> cosigned;      // when, by its clock
  std::int64_t silent_ms = 0;           // since it agreed last, or since the start
  std::optional<std::uint64_t> claims;  // entries that it says it has cosigned, more than there are, without showing them
  std::string problem;                  // of the last time it was asked; empty: it agreed
  bool alarm = false;
};

// One witness over the network. Blocks for some seconds at most.
class WitnessChannel {
 public:
  virtual ~WitnessChannel() = default;
  virtual Result<HttpResponse> add_checkpoint(const std::string& body) = 0;
  virtual Result<HttpResponse> newest(const Digest& origin) = 0;
};
using OpenChannel = std::function<std::unique_ptr<WitnessChannel>(const WitnessPlace&, std::stop_token)>;
std::unique_ptr<WitnessChannel> open_https_channel(const WitnessPlace& place, std::stop_token stop);

class Witnesses {
 public:
  struct Settings {
    std::string state_directory;
    std::int64_t hold_ms = 600'000;         // after a start, at most, while a witness claims more than there is
    std::int64_t alarm_after_ms = 300'000;  // one that has not agreed for so long is an alarm
    bool accept_head = false;               // nothing waits for a witness at this start
  };
  // Witnesses are kept in "<state>/witnesses/<key id>.json". All but `settings` and `open` must outlive this object.
  Witnesses(FileSystem& files, Clock& clock, Log& log, MainLog& main_log, store::HeadStore& heads, Settings settings,
            OpenChannel open = open_https_channel);
  ~Witnesses();  // stop()

  // Before anything is appended to the main log: if there are witnesses to ask, it is held until one agrees, for a bounded time. What
  // cannot be read, a sentence for each.
  std::vector<std::string> load();
  void start();  // the threads "gr-witnesses" and, for each that is asked, "gr-witness.N"
  void stop();

  // In the main log (role "witness") and asked from now on; one of the same key gets the new address. Durable. invalid: not the key of a
  // cosigner, or an address that is none. no_space: kMaxWitnesses. unavailable: the main log is not signed.
  Status add(const WitnessPlace& place);
  // It is asked no more; its key in the log is the caller's to revoke. not_found.
  Status remove(const std::string& name);
  std::vector<WitnessFacts> facts() const;

  // For a witness that is reached by hand: the text of an add-checkpoint request from what it cosigned last, or from `old_size`. not_found:
  // no witness of this name.
  Result<std::string> request(const std::string& name, std::optional<std::uint64_t> old_size) const;
  // What somebody brings back from a witness: a checkpoint with its cosignature. As MainLog::compare and MainLog::add_cosignature.
  Result<SignedCheckpoint> take(std::string_view note);

  void ask(const std::string& name);  // once: what its thread does
  void look();                        // what "gr-witnesses" does every second

 private:
  struct Kept;
  std::string path_of(const VerifierKey& key) const;
  std::shared_ptr<Kept> named(const std::string& name) const;
  void keep(const WitnessPlace& place);  // with changing_
  void end(Kept& kept);
  void begin(Kept& kept);
  void run(Kept& kept);
  bool is_due(const Kept& kept) const;
  std::uint64_t known_size(const VerifierKey& key, std::uint64_t head) const;
  Result<AddCheckpoint> request_from(std::uint64_t old_size, const SignedCheckpoint& head) const;
  Result<std::uint64_t> cosign(Kept& kept);
  Error suspect(Kept& kept, std::optional<std::uint64_t> claimed, const std::string& answered);
  bool is_alarm(const Kept& kept, std::int64_t now_ms) const;  // with mutex_
  void settle();

  FileSystem& files_;
  Clock& clock_;
  Log& log_;
  MainLog& main_log_;
  store::HeadStore& heads_;
  const Settings settings_;
  const OpenChannel open_;
  const std::string directory_;
  const std::int64_t began_ms_;  // monotonic

  std::mutex changing_;  // one of load, start, stop, add, remove at a time; taken before mutex_
  bool is_running_ = false;
  unsigned begun_ = 0;   // threads, for their names
  std::jthread watcher_;

  mutable std::mutex mutex_;  // guards what follows and what was heard of each; taken before those of MainLog
  std::map<std::string, std::shared_ptr<Kept>> kept_;  // by name
  bool is_holding_ = false;
  std::set<std::string> told_;  // of whose alarm the log knows
};

}  // namespace greffe::archive

#endif
