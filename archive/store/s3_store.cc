#include "archive/store/s3_store.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "archive/store/s3_bytes.h"
#include "archive/store/s3_cells.h"
#include "archive/store/s3_lease.h"

namespace greffe::store {
namespace {

constexpr const char* kLabel = "greffe-pool.json";
constexpr const char* kProbe = "greffe-probe";
constexpr std::uint64_t kLabelBytesMax = 4096;
constexpr std::int64_t kLabelVersion = 1;

std::string name_of_service(const S3Settings& settings) { return fmt::format("the bucket {} at {}", settings.bucket, settings.endpoint); }

Error broken(std::string_view what) {
  return fail(Errc::invalid, fmt::format("the S3 service does not keep to its conditions: {}; no archive can be kept there", what));
}

// ok: `found` is the conflict that it has to be.
Status must_conflict(const Status& found, std::string_view what) {
  if (found) return broken(what);
  return found.error().code == Errc::conflict ? ok() : found;
}

// Tries what every promise of this store stands on. Leaves an object with the name of a probe.
Status probe_conditions(S3Client& client) {
  S3Cells cells(client);
  GREFFE_TRY(client.remove(kProbe));
  GREFFE_TRY(cells.write(kProbe, {}, "one", make_token(1)));
  GREFFE_TRY(must_conflict(cells.write(kProbe, {}, "two", make_token(1)), "If-None-Match let an object be replaced"));
  const HeldCell first = GREFFE_TRY(cells.look(kProbe));
  const Status replaced = cells.write(kProbe, first, "three", make_token(1));
  if (!replaced && replaced.error().code == Errc::conflict) {
    return broken("If-Match refused the right ETag (if it wants ETags without quotation marks, set s3_quoted_etags = false)");
  }
  GREFFE_TRY(replaced);
  return must_conflict(cells.write(kProbe, first, "four", make_token(1)), "If-Match took an old ETag");
}

Result<std::string> read_pool_id(S3Client& client, const std::string& service) {
  const auto value = client.get(kLabel, kLabelBytesMax);
  if (!value && value.error().code == Errc::not_found) {
    return fail(Errc::not_found, service + " holds no archive; make one with greffe-archive init");
  }
  if (!value) return value.error();
  const Json label = GREFFE_TRY(parse_json(as_text(value->bytes)));
  const std::int64_t version = GREFFE_TRY(label.integer("v"));
  if (version != kLabelVersion) {
    return fail(Errc::invalid, fmt::format("pool label of version {}; this program knows version {}", version, kLabelVersion));
  }
  return label.string("pool");
}

std::string words_of_lock(const S3Settings& settings, bool has_lock) {
  if (!has_lock) return "The bucket has no Object Lock: whoever has its keys can remove what is in it.";
  if (settings.retention_days == 0) return "The bucket has Object Lock; it is not used, because s3_retention_days is 0.";
  return fmt::format("The bucket has Object Lock: what is written once is kept for {} days ({}).", settings.retention_days, settings.retention_mode);
}

}  // namespace

struct S3Store::State {
  explicit State(const S3Settings& settings) : client(settings) {}
  S3Client client;
  S3Bytes bytes{client};
  S3Cells cells{client};
  std::unique_ptr<S3Lease> lease;  // null: a reader
  std::unique_ptr<RemoteHeads> heads;
};

Result<std::string> S3Store::init(const S3Settings& settings, const std::string& pool_id) {
  S3Client client(settings);
  const auto listing = client.list("log/", "");
  if (!listing && listing.error().code == Errc::invalid) GREFFE_TRY(client.make_bucket());  // there is none
  const auto has_lock = client.has_object_lock();
  const Status kept = probe_conditions(client);
  // radosgw of Ceph 16 looks at a new version, which is never there.
  if (!kept && has_lock && *has_lock) return kept.error().within("this bucket has Object Lock, and with it versions; choose one without");
  GREFFE_TRY(kept);
  Json label;
  label.set("pool", pool_id).set("v", kLabelVersion);
  const std::string text = write_json(label) + "\n";
  const Status written = client.put(kLabel, as_bytes(text), {.if_absent = true, .if_etag = {}});
  const std::string name = name_of_service(settings);
  if (!written && written.error().code == Errc::conflict) {
    if (GREFFE_TRY(read_pool_id(client, name)) != pool_id) return fail(Errc::already_exists, name + " holds an archive already; choose another");
  } else {
    GREFFE_TRY(written);
  }
  return has_lock ? words_of_lock(settings, *has_lock) : "Whether the bucket has Object Lock cannot be found out: " + has_lock.error().message;
}

S3Store::S3Store(std::unique_ptr<State> state, Clock& clock, PoolMode mode, RemotePlace place, PoolListeners listeners)
    // How many replicas the service keeps is its own affair: seen from here there is one, which it looks after.
    : RemoteStore(state->bytes, *state->heads, clock, mode, StoreTraits{1, 1, true}, std::move(place), std::move(listeners.on_damage)),
      state_(std::move(state)) {}
S3Store::~S3Store() = default;

Result<std::unique_ptr<S3Store>> S3Store::open(const S3Settings& settings, Clock& clock, PoolMode mode, PoolListeners listeners) {
  auto state = std::make_unique<State>(settings);
  const std::string name = name_of_service(settings);
  RemotePlace place{name, "s3", GREFFE_TRY(read_pool_id(state->client, name))};
  if (mode == PoolMode::writer) {
    LeaseWish wish{std::move(listeners.on_lost), std::move(listeners.writer_place), std::move(listeners.stop)};
    state->lease = GREFFE_TRY(S3Lease::take(state->cells, clock, settings.lease_s, std::move(wish)));
  }
  if (mode == PoolMode::writer && settings.retention_days > 0) {
    const auto has_lock = state->client.has_object_lock();
    if (!has_lock) {
      return has_lock.error().within("whether the bucket has Object Lock cannot be found out (give the keys the right to ask, or set s3_retention_days = 0)");
    }
    if (*has_lock) state->bytes.keep(clock, settings.retention_mode, settings.retention_days);
  }
  state->heads = std::make_unique<RemoteHeads>(state->cells, state->lease.get());
  return std::unique_ptr<S3Store>(new S3Store(std::move(state), clock, mode, std::move(place), std::move(listeners)));
}

Result<SeenWriter> S3Store::find_writer() { return S3Lease::look(state_->cells); }

std::uint64_t S3Store::term() const { return state_->lease ? state_->lease->term() : 0; }

}  // namespace greffe::store
