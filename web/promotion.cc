#include "web/promotion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "archive/archive_keys.h"
#include "archive/base/command_line.h"
#include "archive/base/progress.h"
#include "archive/catalogue/catalogue.h"
#include "archive/epoch_end.h"
#include "archive/epochs.h"
#include "archive/settings.h"
#include "archive/tlog/copied_main_log.h"
#include "archive/tlog/log_writer.h"
#include "web/config_text.h"
#include "web/new_pool.h"
#include "web/officer_verbs.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kConfigBytesMax = 1024 * 1024;
constexpr std::uint64_t kOpenCounted = 1'000'000;

// What this epoch goes on from, and what is known of what it may lack.
struct Plan {
  Checkpoint previous;
  std::optional<UtcTime> newest;             // of the newest entry that is held
  std::optional<std::uint64_t> open_hearings;  // that are not finished; none: the catalogue is not there
};

class Promotion {
 public:
  explicit Promotion(const PromoteOptions& options) : options_(options) {}
  Result<int> run();

 private:
  std::string state_of(std::uint64_t epoch) const { return join(parent_of(options_.config), fmt::format("state-epoch-{}", epoch)); }
  bool acts() const { return !options_.signatures.empty(); }
  Status open();
  Result<VerifierKey> check_head(const tlog::LogChain& chain, const SignedCheckpoint& head) const;
  Status check_end(const Checkpoint& held, const VerifierKey& log);
  Result<Plan> plan_of(const tlog::LogChain& chain, const SignedCheckpoint& head) const;
  Status add_signatures(const Officers& officers);
  Result<std::string> take_over(const Officers& officers);
  Status keep_end(const tlog::LogChain::Link& link, const SignedCheckpoint& head, const archive::ArchiveKeys& own);
  Status begin_log(const std::string& certificate);
  Status move_catalogue();
  Status write_config();
  void print_plan(const Plan& plan);
  void print_done() const;

  const PromoteOptions& options_;
  PosixFileSystem files_;
  SystemClock clock_;
  archive::Settings settings_;
  std::unique_ptr<store::WholePool> pool_;
  std::optional<archive::ArchiveKeys> keys_;
  PromotionEntry entry_;
};

Status Promotion::open() {
  settings_ = GREFFE_TRY(archive::load_settings(files_, options_.config));
  if (settings_.role != "replica") {
    return fail(Errc::denied, options_.config + " is that of an archive, not of a second site: only a site that holds copies can be promoted");
  }
  auto pool = store::open_pool(files_, clock_, settings_.pool, acts() ? store::PoolMode::writer : store::PoolMode::reader);
  if (!pool && pool.error().code == Errc::unavailable && acts()) return pool.error().within("stop the service of this site first");
  if (!pool) return pool.error();
  pool_ = *std::move(pool);
  return ok();
}

// What is held of the epoch before must be what that log's key signed. That key.
Result<VerifierKey> Promotion::check_head(const tlog::LogChain& chain, const SignedCheckpoint& head) const {
  VerifierKey first{options_.archive, KeyType::ed25519, {}};
  const catalogue::Catalogue own = GREFFE_TRY(catalogue::Catalogue::open(join(settings_.state_directory, "catalogue.sqlite")));
  const std::vector<catalogue::KnownKey> origins = GREFFE_TRY(own.keys("origin"));
  for (const catalogue::KnownKey& origin : origins) {
    if (origin.name == options_.archive && !origin.revoked_since) first.key = origin.key;
  }
  const std::vector<tlog::SignedLog> logs = GREFFE_TRY(tlog::signed_logs(chain, first));
  const Status signed_by_it = verify_note(head.note, logs.back().key);
  if (!signed_by_it) return signed_by_it.error().within("the copy of the main log that is held here");
  return logs.back().key;
}

// Where the archive has handed over nothing is to stay behind.
Status Promotion::check_end(const Checkpoint& held, const VerifierKey& log) {
  if (options_.end_path.empty()) return ok();
  const Bytes text = GREFFE_TRY(files_.read_file(options_.end_path, kMaxNoteBytes));
  const auto end = parse_signed_checkpoint(as_text(text));
  if (!end) return end.error().within(options_.end_path);
  const Status by_it = end->checkpoint.origin == log.name ? verify_note(end->note, log) : Status(fail(Errc::denied, "it is of the log " + end->checkpoint.origin));
  if (!by_it) return by_it.error().within(options_.end_path + " is not the end of the main log of " + options_.archive + " that is held here");
  if (end->checkpoint == held) return ok();
  if (end->checkpoint.size > held.size) {
    return fail(Errc::conflict, fmt::format("{} ends with {} entries, and {} of them are held here: with them, {} would stay behind. Let the replicator there go on "
                                            "(`greffe-replicate once`) until it ends with 0", log.name, end->checkpoint.size, held.size, end->checkpoint.size - held.size));
  }
  return fail(Errc::conflict, fmt::format("{} is held here to {} entries, and {} says that it ends with {}, or otherwise: the archive has gone on since then. Make it anew "
                                          "there: `greffe-archive hand-over --end FILE`", log.name, held.size, options_.end_path, end->checkpoint.size));
}

Result<Plan> Promotion::plan_of(const tlog::LogChain& chain, const SignedCheckpoint& head) const {
  Plan out;
  out.previous = head.checkpoint;
  const std::uint64_t size = GREFFE_TRY(chain.size());
  const std::vector<std::string> last = GREFFE_TRY(chain.entries(size - 1, size));
  const auto json = parse_canonical_json(last.front());
  if (const auto utc = json ? json->utc("utc") : Result<UtcTime>(json.error())) out.newest = *utc;
  const std::string name = "catalogue-" + sha256(as_bytes(options_.archive)).hex().substr(0, 16) + ".sqlite";
  const auto held = catalogue::Catalogue::open(join(settings_.state_directory, name));
  if (!held) return out;
  catalogue::HearingQuery open_ones;
  open_ones.closed = false;
  open_ones.limit = 1;
  open_ones.count_limit = kOpenCounted;
  const auto page = held->find(open_ones, catalogue::CourtSet::everything());
  if (page) out.open_hearings = page->count;
  return out;
}

Status Promotion::add_signatures(const Officers& officers) {
  for (const std::string& path : options_.signatures) {
    const Json one = GREFFE_TRY(read_officer_signature(files_, path));
    const std::string text = GREFFE_TRY(one.string("signature"));
    const Bytes bytes = GREFFE_TRY(from_base64(text));
    Signature signature{};
    if (bytes.size() != signature.size()) return fail(Errc::invalid, path + " is not an Ed25519 signature");
    std::copy(bytes.begin(), bytes.end(), signature.begin());
    entry_.officers.push_back(GREFFE_TRY(one.string("officer")));
    entry_.signatures.push_back(signature);
  }
  const Status counts = officers.check(promotion_statement(entry_), entry_.officers, entry_.signatures, "this promotion");
  if (counts) return ok();
  return counts.error().within("a statement is good for what was held when it was made; where more has come since, make a new one");
}

// From here on nothing of the epoch before is taken. The certificate under which that is so: after a crash the one of before.
Result<std::string> Promotion::take_over(const Officers& officers) {
  const std::string fresh = write_promotion(entry_);
  const auto fenced = GREFFE_TRY(archive::Epochs::open(files_, settings_.state_directory));
  GREFFE_TRY(fenced->take(fresh, officers));
  const auto known = fenced->certificate(options_.archive);
  if (!known || known->promotion.name != entry_.name) {
    return fail(Errc::conflict, fmt::format("this site knows of epoch {} of {} already", fenced->highest(options_.archive), options_.archive));
  }
  const auto ours = GREFFE_TRY(archive::Epochs::open(files_, state_of(entry_.name.epoch)));
  GREFFE_TRY(ours->take(known->text, officers));
  return known->text;
}

// Exactly the state that this epoch goes on from, and that this site as a copy had confirmed it: the log may go on here, when what only the old site has
// comes back, and whoever asks for this site's signature under the epoch before finds it beside the log.
Status Promotion::keep_end(const tlog::LogChain::Link& link, const SignedCheckpoint& head, const archive::ArchiveKeys& own) {
  GREFFE_TRY(archive::keep_end_of_epoch(*pool_, link, head));
  const VerifierKey holder = archive::holder_verifier(archive::origin_of(settings_), own.holder.public_key());
  return verify_cosignature(head.note, holder) ? archive::keep_cosigned(*pool_, link.path, head, holder) : ok();
}

Status Promotion::begin_log(const std::string& certificate) {
  const std::string path = foreign_log_path(epoch_origin(entry_.name));
  tlog::LogWriter writer = GREFFE_TRY(tlog::LogWriter::open(*pool_, *pool_, *pool_, path));
  if (writer.size() > 0) return ok();  // a crash came right after
  const std::array<std::string, 1> entries{certificate};
  return writer.append(entries, [this](std::uint64_t size, const Digest& root) -> Result<std::string> {
    const Checkpoint about{epoch_origin(entry_.name), size, root};
    const SignedNote note{about.text(), {sign_checkpoint(about, keys_->log)}};
    return note.write();
  });
}

// The catalogue of the copy is that of the archive: with it a million hearings are found at once. Without it one is made.
Status Promotion::move_catalogue() {
  const std::string from = join(settings_.state_directory, "catalogue-" + sha256(as_bytes(options_.archive)).hex().substr(0, 16) + ".sqlite");
  const std::string to = join(state_of(entry_.name.epoch), "catalogue.sqlite");
  for (const char* const suffix : {"-wal", "-shm", ""}) {  // last what makes it one
    const Status moved = files_.rename(from + suffix, to + suffix);
    if (!moved && moved.error().code != Errc::not_found) return moved;
  }
  GREFFE_TRY(files_.sync_directory(settings_.state_directory));
  return files_.sync_directory(state_of(entry_.name.epoch));
}

// Last: with it the site is the archive.
Status Promotion::write_config() {
  const Bytes old = GREFFE_TRY(files_.read_file(options_.config, kConfigBytesMax));
  GREFFE_TRY(files_.replace(options_.config + ".replica", old, 0640));
  std::string lines = "name = " + toml_string(options_.archive) + "\nrole = \"primary\"\n";
  lines += fmt::format("epoch = {}\nstate_directory = {}\n", entry_.name.epoch, toml_string(state_of(entry_.name.epoch)));
  lines += "machine_url = " + toml_string(entry_.machine_url) + "\n";
  const std::string text = with_other_keys(as_text(old), {"epoch", "machine_url", "name", "role", "state_directory", "control_socket"}, lines);
  return files_.replace(options_.config, as_bytes(text), 0640);
}

void Promotion::print_plan(const Plan& plan) {
  const std::string statement = keys_ ? promotion_statement(entry_) : std::string();
  const std::int64_t age_s = plan.newest ? (clock_.utc_now().ms - plan.newest->ms) / 1000 : 0;
  if (options_.json) {
    Json out;
    out.set("archive", options_.archive).set("epoch", entry_.name.epoch).set("root", plan.previous.root).set("size", plan.previous.size);
    if (plan.newest) out.set("newest", *plan.newest);
    if (plan.open_hearings) out.set("open_hearings", *plan.open_hearings);
    if (keys_) out.set("statement", statement);
    fmt::print("{}\n", write_json(out));
    return;
  }
  fmt::print("{} would go on here in epoch {}, behind entry {} of its main log", options_.archive, entry_.name.epoch, plan.previous.size);
  if (plan.newest) fmt::print(", which is from {}, {} ago", to_text(*plan.newest), human_duration(age_s));
  fmt::print(".\n{}\n", options_.end_path.empty() ? "What the archive has taken since then comes back from the stations that still have it, and from the old site if it returns."
                                      : "That is all of it: the archive has handed over.");
  if (plan.open_hearings) fmt::print("{} hearings are not finished here.\n", *plan.open_hearings);
  if (keys_) fmt::print("\nTwo officers sign this, each with `greffe-archive officer sign`:\n\n{}", statement);
}

void Promotion::print_done() const {
  if (options_.json) {
    fmt::print("{}\n", write_json(Json().set("archive", options_.archive).set("config", options_.config).set("epoch", entry_.name.epoch)));
    return;
  }
  fmt::print("This site is {} from now on, in epoch {}. Start it: greffe-archive --config {} serve.\nWhat it was before is in {}.replica; copies of other archives "
             "are taken again when that is in its place.\n", options_.archive, entry_.name.epoch, options_.config, options_.config);
}

Result<int> Promotion::run() {
  GREFFE_TRY(open());
  tlog::LogChain chain = GREFFE_TRY(tlog::open_copied_log(*pool_, *pool_, options_.archive));
  // A crash after the new log was begun, and before the configuration was written.
  const std::uint64_t newest = chain.newest().name.epoch;
  const bool begun = newest > 1 && files_.stat(state_of(newest)).has_value();
  if (begun) {
    const tlog::MainLogPlace before{{options_.archive, newest - 1}, {}, chain.links().front().path};
    chain = GREFFE_TRY(tlog::LogChain::open(*pool_, *pool_, before));
  }
  SignedCheckpoint head = GREFFE_TRY(chain.checkpoint());
  const VerifierKey log = GREFFE_TRY(check_head(chain, head));
  GREFFE_TRY(check_end(head.checkpoint, log));
  const archive::ArchiveKeys own = GREFFE_TRY(archive::load_archive_keys(files_, settings_.state_directory));
  entry_.name = {options_.archive, chain.newest().name.epoch + 1};
  entry_.previous = head.checkpoint;
  entry_.machine_url = options_.machine_url.empty() ? settings_.machine_url : options_.machine_url;
  if (!is_https_origin(entry_.machine_url)) return fail(Errc::invalid, "--machine-url must be https:// with host and port");
  const Plan found = GREFFE_TRY(plan_of(chain, head));
  if (options_.dry_run) {
    print_plan(found);
    return kExitDone;
  }
  keys_ = GREFFE_TRY(archive::make_epoch_keys(files_, state_of(entry_.name.epoch), own.server));
  entry_.log_key = keys_->log.public_key();
  entry_.holder = archive::holder_verifier(epoch_origin(entry_.name), keys_->holder.public_key());
  entry_.machine_key = keys_->server.public_key();
  entry_.utc = clock_.utc_now();
  if (!acts()) {
    if (!options_.statement_path.empty()) GREFFE_TRY(files_.replace(options_.statement_path, as_bytes(promotion_statement(entry_)), 0644));
    print_plan(found);
    return kExitDone;
  }
  const std::uint64_t size = GREFFE_TRY(chain.size());
  const Officers known = GREFFE_TRY(tlog::officers_before(chain, size));
  GREFFE_TRY(add_signatures(known));
  const std::string certificate = GREFFE_TRY(take_over(known));
  GREFFE_TRY(keep_end(chain.newest(), head, own));  // a crash here leaves a checkpoint more that is kept
  GREFFE_TRY(begin_log(certificate));
  GREFFE_TRY(move_catalogue());
  GREFFE_TRY(write_config());
  print_done();
  return kExitDone;
}

}  // namespace

Result<int> promote(const PromoteOptions& options) { return Promotion(options).run(); }

void PromotionVerb::define(CommandLine& line, const std::string& config) {
  line.verb("promote", "at a second site: go on as the archive whose copies it holds")
      .required("ARCHIVE", options.archive, "its name", "ARCHIVE")
      .option("--machine-url", options.machine_url, "where stations and other sites reach this site from now on", "URL")
      .option("--end", options.end_path, "of a planned switch: what `hand-over --end` wrote; nothing is done unless exactly that is held here", "FILE")
      .option("--statement", options.statement_path, "write here what two officers are to sign", "FILE")
      .option("--signature", options.signatures, "what `officer sign` made of it; twice; with the service of this site stopped", "FILE")
      .flag("--dry-run", options.dry_run, "say what would be lost, and make nothing").json(options.json).body([this, &config] {
        options.config = config;
        return promote(options);
      });
}

}  // namespace greffe::web
