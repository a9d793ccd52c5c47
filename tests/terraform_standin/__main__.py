"""Stand in for one of Terraform's providers: `python -m tests.terraform_standin datadog`, which Terraform starts."""

import sys

from tests.terraform_standin import datadog, opensearch
from tests.terraform_standin.serve import serve

if __name__ == "__main__":
    serve({"datadog": datadog.provider, "opensearch": opensearch.provider}[sys.argv[1]]())
