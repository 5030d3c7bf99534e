// An exported hearing: a folder that carries its whole proof (docs/formats/export.md). Everything in it is either bound
// by a signature or refused.
#ifndef GREFFE_ARCHIVE_VERIFY_EXPORT_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_EXPORT_CHECK_H

#include <optional>
#include <string>

#include "archive/format/policy.h"
#include "archive/format/signed_note.h"
#include "archive/verify/report.h"

namespace greffe::verify {

struct ExportRequest {
  std::string folder;
  const Policy& policy;
  std::optional<SignedCheckpoint> known;  // a main checkpoint that the auditor holds
  unsigned threads = 2;
};
void check_export(const ExportRequest& request, Report& report);

}  // namespace greffe::verify

#endif
