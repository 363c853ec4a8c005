"""Any model as a judge: rubrics, asking in both orders, reading its verdict, its agreement with people, and what that
corrects."""
