#include "web/rejoin.h"

#include <fmt/format.h>

#include "archive/archive_keys.h"
#include "archive/epoch_end.h"
#include "archive/epochs.h"
#include "archive/main_log.h"
#include "archive/settings.h"
#include "archive/tlog/copied_main_log.h"
#include "web/config_text.h"
#include "web/new_pool.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kConfigBytesMax = 1024 * 1024;

class Rejoining {
 public:
  explicit Rejoining(const RejoinOptions& options) : options_(options) {}
  Result<int> run();

 private:
  std::string state() const { return join(parent_of(options_.config), "state-" + options_.name); }
  Status open();
  Status check_name();
  Result<archive::Epochs::Certificate> find_certificate();
  Result<Officers> officers_at_pin(const tlog::LogChain& chain, const Checkpoint& pin) const;
  Status keep_end(const Checkpoint& pin);
  Status begin_log(const tlog::LogChain& chain);
  Status write_config();

  const RejoinOptions& options_;
  PosixFileSystem files_;
  SystemClock clock_;
  archive::Settings settings_;
  std::unique_ptr<store::WholePool> pool_;
};

Status Rejoining::open() {
  if (!is_valid_archive_name(options_.name)) return fail(Errc::invalid, "\"" + options_.name + "\": the name of a site looks like old.court.example");
  settings_ = GREFFE_TRY(archive::load_settings(files_, options_.config));
  if (settings_.role != "primary" || settings_.name != options_.archive) {
    return fail(Errc::denied, fmt::format("{} is that of {} ({}), not of the archive {}", options_.config, settings_.name, settings_.role, options_.archive));
  }
  if (options_.name == options_.archive) return fail(Errc::invalid, "a second site needs a name of its own: --name");
  auto pool = store::open_pool(files_, clock_, settings_.pool, store::PoolMode::writer);
  if (!pool && pool.error().code == Errc::unavailable) return pool.error().within("stop the service of this site first");
  if (!pool) return pool.error();
  pool_ = *std::move(pool);
  return check_name();
}

// Of a log that it wrote before under this name it would need the keys.
Status Rejoining::check_name() {
  const tlog::MainLogPlace place = GREFFE_TRY(tlog::find_main_log(*pool_, {options_.name, 1}));
  const auto begun = tlog::LogReader(*pool_, *pool_, place.path).checkpoint();
  if (!begun && begun.error().code != Errc::not_found) return begun.error();
  if (!begun || begun->checkpoint.origin != options_.name || files_.stat(state())) return ok();
  return fail(Errc::denied, "this site was " + options_.name + " before, with other keys, and has a log of that name: choose another name");
}

// Those whom the part of the log names that the next epoch goes on from.
Result<Officers> Rejoining::officers_at_pin(const tlog::LogChain& chain, const Checkpoint& pin) const {
  for (const tlog::LogChain::Link& link : chain.links()) {
    const std::string origin = link.path.empty() ? options_.archive : epoch_origin(link.name);
    if (origin != pin.origin) continue;
    const SignedCheckpoint head = GREFFE_TRY(link.reader.checkpoint());
    if (pin.size > head.checkpoint.size || GREFFE_TRY(link.reader.root_at(pin.size)) != pin.root) break;
    return tlog::officers_before(chain, link.first + pin.size);
  }
  return fail(Errc::denied, fmt::format("it goes on from a state of {} that this site never had", pin.origin));
}

Result<archive::Epochs::Certificate> Rejoining::find_certificate() {
  const auto known = GREFFE_TRY(archive::Epochs::open(files_, settings_.state_directory));
  if (!options_.certificate.empty()) {
    const Bytes text = GREFFE_TRY(files_.read_file(options_.certificate, kMaxEntryBytes));
    auto promotion = parse_promotion(as_text(text));
    if (!promotion) return promotion.error().within(options_.certificate);
    if (promotion->name.archive != options_.archive) return fail(Errc::invalid, options_.certificate + " is a promotion of " + promotion->name.archive);
    const tlog::LogChain chain = GREFFE_TRY(tlog::open_main_log(*pool_, *pool_, {settings_.name, settings_.epoch}));
    const Officers officers = GREFFE_TRY(officers_at_pin(chain, promotion->previous));
    GREFFE_TRY(known->take(as_text(text), officers));
  }
  auto newest = known->certificate(options_.archive);
  if (newest && newest->promotion.name.epoch > settings_.epoch) return *std::move(newest);
  return fail(Errc::denied, fmt::format("no promotion of {} is known here: it is the archive. Where another site was promoted, bring its certificate with "
                                        "--certificate; there it is the file in the folder epochs of its state directory", options_.archive));
}

// Of the epoch that was written here, the state that the next one goes on from, as its log signs any state that it had: whoever is shown a part of
// it is shown just that (archive/epoch_end.h), from here as well when this site is the archive again. It signs nothing new.
Status Rejoining::keep_end(const Checkpoint& pin) {
  if (pin.origin != archive::origin_of(settings_)) return ok();
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::load_archive_keys(files_, settings_.state_directory));
  const tlog::LogChain chain = GREFFE_TRY(tlog::open_copied_log(*pool_, *pool_, options_.archive));
  for (const tlog::LogChain::Link& link : chain.links()) {
    if (epoch_origin(link.name) != pin.origin) continue;
    SignedCheckpoint end{pin, SignedNote{pin.text(), {sign_checkpoint(pin, keys.log)}}};
    GREFFE_TRY(pool_->list(link.path + "/cosigned/", [&](const store::ObjectInfo& info) {  // by others, just there
      const auto text = pool_->read_head(info.key);
      const auto newest = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
      for (const NoteSignature& line : newest && newest->checkpoint == pin ? newest->note.signatures : std::vector<NoteSignature>()) {
        if (line.name != pin.origin && end.note.signatures.size() < kMaxNoteSignatures) put_signature(end.note, line);
      }
      return true;
    }));
    return archive::keep_end_of_epoch(*pool_, link, end);
  }
  return ok();
}

// In one step: a log of this name that is there is whole.
Status Rejoining::begin_log(const tlog::LogChain& chain) {
  const std::vector<std::string> first = GREFFE_TRY(chain.entries(0, 1));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(first.front()));
  const auto* genesis = std::get_if<GenesisEntry>(&entry);
  if (genesis == nullptr) return fail(Errc::corrupt, "the main log does not begin as one of an archive");
  const archive::ArchiveKeys old = GREFFE_TRY(archive::load_archive_keys(files_, settings_.state_directory));
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::make_epoch_keys(files_, state(), old.server));
  Log log("greffe-archive");
  const tlog::MainLogPlace place = GREFFE_TRY(tlog::find_main_log(*pool_, {options_.name, 1}));
  PrivateKey log_key = GREFFE_TRY(PrivateKey::from_pem(keys.log.to_pem()));
  const auto main_log = GREFFE_TRY(archive::MainLog::open(files_, log, {*pool_, *pool_, *pool_}, place, state(), std::move(log_key), false));
  const auto head = main_log->reader().checkpoint();
  if (head || head.error().code != Errc::not_found) return head ? ok() : Status(head.error());
  GenesisEntry own;
  own.archive = options_.name;
  own.log_key = keys.log.public_key();
  own.role = "replica";
  own.holder = archive::holder_verifier(options_.name, keys.holder.public_key());
  own.utc = clock_.utc_now();
  KeyEntry origin;
  origin.action = "added";
  origin.role = "origin";
  origin.name = options_.archive;
  origin.key = genesis->log_key;
  origin.utc = own.utc;
  origin.since = own.utc;
  GREFFE_TRY(main_log->append(std::vector<MainEntry>{own, origin}));
  return ok();
}

// Last: with it the site is a second one.
Status Rejoining::write_config() {
  const Bytes old = GREFFE_TRY(files_.read_file(options_.config, kConfigBytesMax));
  GREFFE_TRY(files_.replace(options_.config + ".primary", old, 0640));
  const std::string lines = "name = " + toml_string(options_.name) + "\nrole = \"replica\"\nstate_directory = " + toml_string(state()) + "\n";
  const std::string text = with_other_keys(as_text(old), {"control_socket", "epoch", "name", "role", "state_directory"}, lines);
  return files_.replace(options_.config, as_bytes(text), 0640);
}

Result<int> Rejoining::run() {
  GREFFE_TRY(open());
  const archive::Epochs::Certificate certificate = GREFFE_TRY(find_certificate());
  const tlog::LogChain chain = GREFFE_TRY(tlog::open_main_log(*pool_, *pool_, {settings_.name, settings_.epoch}));
  GREFFE_TRY(files_.make_directories(state()));
  const auto fence = GREFFE_TRY(archive::Epochs::open(files_, state()));
  const std::uint64_t size = GREFFE_TRY(chain.size());
  const auto pinned = officers_at_pin(chain, certificate.promotion.previous);
  // What it heard of and took while it was the archive was judged then, by all that its log says; it may go on from an epoch that is not here.
  const Officers officers = pinned ? *pinned : GREFFE_TRY(tlog::officers_before(chain, size));
  GREFFE_TRY(fence->take(certificate.text, officers));
  if (pinned) GREFFE_TRY(keep_end(certificate.promotion.previous));  // a crash here leaves a checkpoint more that is kept
  GREFFE_TRY(begin_log(chain));
  GREFFE_TRY(write_config());
  if (options_.json) {
    fmt::print("{}\n", write_json(Json().set("archive", options_.archive).set("config", options_.config).set("epoch", certificate.promotion.name.epoch).set("name", options_.name)));
    return kExitDone;
  }
  fmt::print("This site is {} from now on, and holds copies of {}. Start it, make a code for the replicator at {} with\n"
             "greffe-archive --config {} origin add --name {} …, and add this site there as a cosigner and a target.\n"
             "What only this site has: greffe-replicate failback, see OPERATIONS.\n"
             "What it was before is in {}.primary. Make a backup of the keys in {}/keys.\n",
             options_.name, options_.archive, certificate.promotion.machine_url, options_.config, options_.archive, options_.config, state());
  return kExitDone;
}

}  // namespace

Result<int> rejoin(const RejoinOptions& options) { return Rejoining(options).run(); }

void RejoinVerb::define(CommandLine& line, const std::string& config) {
  line.verb("rejoin", "at an archive that comes back after another site was promoted: hold copies of what it was")
      .required("ARCHIVE", options.archive, "its name until now", "ARCHIVE")
      .required("--name", options.name, "what this site is called from now on", "NAME")
      .option("--certificate", options.certificate, "of the promotion, where this site has not heard of it", "FILE")
      .json(options.json).body([this, &config] {
        options.config = config;
        return rejoin(options);
      });
}

}  // namespace greffe::web
