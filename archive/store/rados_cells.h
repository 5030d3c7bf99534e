// Heads as RADOS objects: the text is the object, the token an attribute that a write compares. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_CELLS_H
#define GREFFE_ARCHIVE_STORE_RADOS_CELLS_H

#include <string>

#include "archive/store/rados_index.h"
#include "archive/store/remote_heads.h"

namespace greffe::store {

class RadosCells : public RemoteCells {
 public:
  RadosCells(RadosCluster& cluster, RadosIndex& index) : cluster_(cluster), index_(index) {}
  Result<HeldCell> look(const std::string& key) override;
  Status write(const std::string& key, const HeldCell& now, const std::string& text, const std::string& token) override;

 private:
  RadosCluster& cluster_;
  RadosIndex& index_;
};

}  // namespace greffe::store

#endif
