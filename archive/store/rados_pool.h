// How a Ceph pool is named and what it must be like to hold an archive.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_POOL_H
#define GREFFE_ARCHIVE_STORE_RADOS_POOL_H

#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"

namespace greffe::store {

struct RadosSettings {
  std::string conf_path;               // ceph.conf; it names the monitors and the file with the key
  std::string user = "client.greffe";
  std::string pool;
  // After this long the outcome of an operation is unknown and it is read again. Long enough for two OSDs of three to be
  // restarted; a deposit waits for it.
  unsigned operation_timeout_s = 30;
  // Without renewal for so long the writer stops writing and another archive may take over.
  unsigned lease_s = 15;
};

// What the cluster says of a pool.
struct RadosPoolFacts {
  unsigned size = 0;           // replicas
  unsigned min_size = 0;       // below it writes wait
  bool erasure_coded = false;
  std::string failure_domain;  // "host", "rack", "osd"
};

class RadosCluster;
Result<RadosPoolFacts> rados_pool_facts(RadosCluster& cluster);

// One sentence for each thing that is wrong, with the command that mends it; empty: the pool is fit for an archive. Pure.
std::vector<std::string> faults_of(const RadosPoolFacts& facts, const std::string& pool);

}  // namespace greffe::store

#endif
