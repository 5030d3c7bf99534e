#include "archive/catalogue/catalogue_builder.h"

#include <optional>

#include "archive/catalogue/dump.h"
#include "archive/catalogue/entry_applier.h"
#include "archive/catalogue/finished_ahead.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/sqlite.h"
#include "archive/catalogue/tokenizer.h"

namespace greffe::catalogue {

struct CatalogueBuilder::State {
  State(Connection connection, Sources given)
      : db(std::move(connection)), sources(std::move(given)), applier(db, sources) {}

  Connection db;
  Sources sources;
  EntryApplier applier;  // refers to db and sources: State never moves
  Applied applied;
  std::uint64_t next = 0;
  std::optional<Transaction> batch;  // open from the first apply() to commit()

  Status read_applied() {
    const std::string size = GREFFE_TRY(meta(db, "applied_size"));
    const std::string root = GREFFE_TRY(meta(db, "applied_root"));
    const auto parsed_size = parse_decimal(size);
    const auto parsed_root = digest_from_hex(root);
    if (!parsed_size || !parsed_root) {
      return fail(Errc::corrupt, "the catalogue does not say which state of the main log it stands for: rebuild it");
    }
    applied = {*parsed_size, *parsed_root};
    next = applied.size;
    return ok();
  }

  void roll_back() {
    batch.reset();
    applier.forget_texts();
    next = applied.size;
  }

  Status apply_in_batch(std::uint64_t index, std::string_view entry) {
    if (!batch) batch.emplace(GREFFE_TRY(Transaction::begin(db)));
    return applier.apply(index, entry);
  }

  // A crash before COMMIT leaves the state of the last commit: the entries are applied again from there.
  Status commit_batch(const Digest& root) {
    if (!batch) batch.emplace(GREFFE_TRY(Transaction::begin(db)));
    GREFFE_TRY(applier.refresh_texts());
    GREFFE_TRY(set_meta(db, "applied_size", std::to_string(next)));
    GREFFE_TRY(set_meta(db, "applied_root", root.hex()));
    GREFFE_TRY(batch->commit());
    batch.reset();
    applied = {next, root};
    return ok();
  }
};

CatalogueBuilder::CatalogueBuilder(std::unique_ptr<State> state) : state_(std::move(state)) {}
CatalogueBuilder::CatalogueBuilder(CatalogueBuilder&&) noexcept = default;
CatalogueBuilder& CatalogueBuilder::operator=(CatalogueBuilder&&) noexcept = default;
CatalogueBuilder::~CatalogueBuilder() = default;

Result<CatalogueBuilder> CatalogueBuilder::open(const std::string& path, Sources sources) {
  Connection db = GREFFE_TRY(Connection::open(path, Connection::Mode::write, false));
  const std::int64_t version = GREFFE_TRY(db.version());
  if (version != kSchemaVersion) {
    return fail(Errc::corrupt, path + ": not a catalogue of version " + std::to_string(kSchemaVersion) + " but of " +
                                   std::to_string(version) + ": rebuild it");
  }
  GREFFE_TRY(db.quick_check());
  GREFFE_TRY(register_tokenizer(db));
  auto state = std::make_unique<State>(std::move(db), std::move(sources));
  GREFFE_TRY(state->read_applied());
  return CatalogueBuilder(std::move(state));
}

Result<CatalogueBuilder> CatalogueBuilder::create(const std::string& path, Sources sources) {
  Connection db = GREFFE_TRY(Connection::open(path, Connection::Mode::create, false));
  GREFFE_TRY(register_tokenizer(db));
  const std::int64_t version = GREFFE_TRY(db.version());
  if (version != 0) return fail(Errc::already_exists, path + ": there is a catalogue already");
  GREFFE_TRY(create_schema(db));
  auto state = std::make_unique<State>(std::move(db), std::move(sources));
  GREFFE_TRY(state->commit_batch(sha256({})));  // the root of an empty tree is the hash of nothing
  return CatalogueBuilder(std::move(state));
}

Applied CatalogueBuilder::applied() const { return state_->applied; }
std::uint64_t CatalogueBuilder::next() const { return state_->next; }

Status CatalogueBuilder::apply(std::uint64_t index, std::string_view entry) {
  if (index != state_->next) {
    return fail(Errc::invalid, "the catalogue expects main-log entry " + std::to_string(state_->next) + ", not " +
                                   std::to_string(index));
  }
  Status status = state_->apply_in_batch(index, entry);
  if (status) {
    ++state_->next;
  } else {
    state_->roll_back();
  }
  return status;
}

void CatalogueBuilder::look_ahead(FinishedAhead* ahead) { state_->applier.look_ahead(ahead); }

Status CatalogueBuilder::commit(const Digest& root) {
  if (state_->next == state_->applied.size && root == state_->applied.root) return ok();
  Status status = state_->commit_batch(root);
  if (!status) state_->roll_back();
  return status;
}

Status CatalogueBuilder::dump(const std::function<void(std::string_view line)>& write) const {
  return dump_tables(state_->db, [&write](std::string_view line) {
    write(line);
    return true;
  });
}

Result<std::string> CatalogueBuilder::dump() const {
  std::string out;
  GREFFE_TRY(dump([&out](std::string_view line) {
    out += line;
    out += '\n';
  }));
  return out;
}

Status CatalogueBuilder::check_text_index() {
  const Status status =
      state_->db.run("INSERT INTO search_index(search_index, rank) VALUES('integrity-check', 1)");
  if (status) return ok();
  return fail(Errc::corrupt, "the text index of the catalogue does not fit its rows: rebuild the catalogue (" +
                                 status.error().message + ")");
}

Status CatalogueBuilder::compact() {
  GREFFE_TRY(state_->db.run("INSERT INTO search_index(search_index) VALUES('optimize')"));
  return state_->db.script("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace greffe::catalogue
