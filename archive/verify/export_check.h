// An exported hearing: a folder that carries its whole proof (docs/formats/export.md). Everything in it is either bound
// by a signature or refused.
#ifndef GREFFE_ARCHIVE_VERIFY_EXPORT_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_EXPORT_CHECK_H

#include <optional>
#include <string>

#include "archive/format/policy.h"
#include "archive/format/signed_note.h"
#include "archive/verify/report.h"
#include "archive/verify/sheet_check.h"

namespace greffe::verify {

struct ExportRequest {
  std::string folder;
  const Policy& policy;
  std::optional<SignedCheckpoint> known;  // a main checkpoint that the auditor holds
  unsigned threads = 2;
  const Sheet* sheet = nullptr;           // a closing sheet to compare with
};
void check_export(const ExportRequest& request, Report& report);

}  // namespace greffe::verify

#endif
