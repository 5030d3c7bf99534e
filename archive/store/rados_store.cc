#include "archive/store/rados_store.h"

#include <fmt/format.h>

#include <cerrno>

#include "archive/format/canonical_json.h"
#include "archive/store/rados_bytes.h"
#include "archive/store/rados_cells.h"
#include "archive/store/rados_lease.h"

namespace greffe::store {
namespace {

constexpr std::size_t kLabelBytesMax = 4096;
constexpr std::int64_t kLabelVersion = 1;

Result<std::string> read_pool_id(RadosCluster& cluster) {
  librados::bufferlist text;
  int code_of_read = 0;
  librados::ObjectReadOperation operation;
  operation.read(0, kLabelBytesMax, &text, &code_of_read);
  const int code = send_read(cluster.logs(), kRadosLabel, operation).wait();
  if (code == -ENOENT) {
    return fail(Errc::not_found, fmt::format("the Ceph pool {} holds no archive; make one with greffe-archive init", cluster.pool()));
  }
  if (code < 0) return error_of_rados(code, "the label of the Ceph pool " + cluster.pool() + " cannot be read");
  const Json label = GREFFE_TRY(parse_json(text.to_str()));
  const std::int64_t version = GREFFE_TRY(label.integer("v"));
  if (version != kLabelVersion) {
    return fail(Errc::invalid, fmt::format("pool label of version {}; this program knows version {}", version, kLabelVersion));
  }
  return label.string("pool");
}

}  // namespace

struct RadosStore::State {
  explicit State(std::unique_ptr<RadosCluster> connected) : cluster(std::move(connected)) {}
  std::unique_ptr<RadosCluster> cluster;
  RadosIndex index{*cluster};
  RadosBytes bytes{*cluster, index};
  std::unique_ptr<RadosLease> lease;  // null: a reader
  RadosCells cells{*cluster, index};
  std::unique_ptr<RemoteHeads> heads;
};

Status RadosStore::init(const RadosSettings& settings, const std::string& pool_id) {
  const auto cluster = GREFFE_TRY(RadosCluster::connect(settings));
  const RadosPoolFacts facts = GREFFE_TRY(rados_pool_facts(*cluster));
  std::string wrong;
  for (const std::string& fault : faults_of(facts, settings.pool)) wrong += (wrong.empty() ? "" : "; ") + fault;
  if (!wrong.empty()) return fail(Errc::invalid, wrong);
  Json label;
  label.set("pool", pool_id).set("v", kLabelVersion);
  librados::ObjectWriteOperation operation;
  operation.create(true);
  operation.write_full(to_buffer(write_json(label) + "\n"));
  operation.setxattr("term", to_buffer(write_term(0)));
  const int code = send_write(cluster->logs(), kRadosLabel, operation).wait();
  if (code == -EEXIST) {
    const std::string there = GREFFE_TRY(read_pool_id(*cluster));
    return there == pool_id ? ok() : fail(Errc::already_exists, fmt::format("the Ceph pool {} holds an archive already; choose another", settings.pool));
  }
  return code < 0 ? Status(error_of_rados(code, "the label of the Ceph pool " + settings.pool + " cannot be written")) : ok();
}

RadosStore::RadosStore(std::unique_ptr<State> state, Clock& clock, PoolMode mode, StoreTraits traits, RemotePlace place,
                       PoolListeners listeners)
    : RemoteStore(state->bytes, *state->heads, clock, mode, traits, std::move(place), std::move(listeners.on_damage)),
      state_(std::move(state)) {}
RadosStore::~RadosStore() = default;

Result<std::unique_ptr<RadosStore>> RadosStore::open(const RadosSettings& settings, Clock& clock, PoolMode mode,
                                                     PoolListeners listeners) {
  auto cluster = GREFFE_TRY(RadosCluster::connect(settings));
  const RadosPoolFacts facts = GREFFE_TRY(rados_pool_facts(*cluster));
  auto state = std::make_unique<State>(std::move(cluster));
  RemotePlace place{"the Ceph pool " + settings.pool, "ceph", GREFFE_TRY(read_pool_id(*state->cluster))};
  if (mode == PoolMode::writer) {
    LeaseWish wish{std::move(listeners.on_lost), std::move(listeners.writer_place), std::move(listeners.stop)};
    state->lease = GREFFE_TRY(RadosLease::take(*state->cluster, clock, settings.lease_s, std::move(wish)));
  }
  state->heads = std::make_unique<RemoteHeads>(state->cells, state->lease.get());
  const StoreTraits traits{facts.size, facts.min_size, true};
  return std::unique_ptr<RadosStore>(new RadosStore(std::move(state), clock, mode, traits, std::move(place), std::move(listeners)));
}

Result<SeenWriter> RadosStore::find_writer() { return RadosLease::look(*state_->cluster); }

std::uint64_t RadosStore::term() const { return state_->lease ? state_->lease->term() : 0; }

}  // namespace greffe::store
