// Heads as S3 objects that are replaced on the condition that their ETag is still the one that was read. The token is
// the first line: S3 makes the ETag from the bytes alone, and every write must change it. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_S3_CELLS_H
#define GREFFE_ARCHIVE_STORE_S3_CELLS_H

#include <string>

#include "archive/store/remote_heads.h"
#include "archive/store/s3_client.h"

namespace greffe::store {

class S3Cells : public RemoteCells {
 public:
  explicit S3Cells(S3Client& client) : client_(client) {}
  Result<HeldCell> look(const std::string& key) override;
  Status write(const std::string& key, const HeldCell& now, const std::string& text, const std::string& token) override;

 private:
  S3Client& client_;
};

}  // namespace greffe::store

#endif
